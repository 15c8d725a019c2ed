// Threads that help, whatever their number.
#include "../src/crew.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <set>

namespace fermata {
namespace {

TEST(Crew, EveryChildRunsOnceWhateverTheNumberOfHelpers) {
    for (const std::size_t helpers : {0, 1, 2, 8}) {
        Crew crew(helpers);
        std::vector<std::atomic<int>> ran(100);
        Crew::Gang gang(crew, {.count = ran.size(), .width = ran.size(), .child = [&](std::size_t i) { ++ran[i]; }});
        gang.run();
        for (const auto& times : ran) EXPECT_EQ(times, 1);
    }
}

TEST(Crew, GangsInGangsNeverWaitForEachOther) {
    for (const std::size_t helpers : {0, 1, 2, 3}) {
        Crew crew(helpers);
        std::atomic<int> leaves = 0;
        const std::function<void(int)> fan_out = [&](int depth) {
            if (depth == 0) {
                ++leaves;
                return;
            }
            Crew::Gang gang(crew, {.count = 3,
                                   .width = depth % 2 == 0 ? 3U : 1U,
                                   .child = [&](std::size_t) { fan_out(depth - 1); },
                                   .attend = depth % 3 == 0 ? std::function<void()>([] {}) : nullptr});
            gang.run();
        };
        fan_out(6);
        EXPECT_EQ(leaves, 729);
    }
}

TEST(Crew, TheCoordinatorAttendsOnItsOwnThreadAndToEverything) {
    Crew crew(4);
    std::atomic<int> told = 0;
    int attended = 0;
    std::set<std::thread::id> threads;
    Crew::Gang* self = nullptr;
    Crew::Gang gang(crew, {.count = 50,
                           .width = 4,
                           .child =
                               [&](std::size_t) {
                                   ++told;
                                   self->call_coordinator();
                               },
                           .attend =
                               [&] {
                                   attended = told;
                                   threads.insert(std::this_thread::get_id());
                               }});
    self = &gang;
    gang.run();
    EXPECT_EQ(attended, 50);
    EXPECT_EQ(threads, std::set{std::this_thread::get_id()});
}

}  // namespace
}  // namespace fermata
