// Threads that outlive what they run.
#include "../src/threads.hpp"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <latch>
#include <tuple>
#include <vector>

namespace fermata {
namespace {

TEST(Threads, RunAllAtOnceHoweverManyThereAre) {
    constexpr int many = 20;
    Threads threads;
    std::latch all(many);
    std::vector<std::future<void>> returned;
    for (int i = 0; i < many; ++i) returned.push_back(threads.run([&] { all.arrive_and_wait(); }));
    for (const auto& each : returned) EXPECT_EQ(std::future_status::ready, each.wait_for(std::chrono::seconds(60)));
}

TEST(Threads, AreUsedAgain) {
    Threads threads;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
    bool again = false;
    // The one before may not be idle yet when its work has returned.
    while (!again && std::chrono::steady_clock::now() < until) {
        threads
            .run([&] {
                thread_local int runs = 0;
                again = ++runs > 1;
            })
            .wait();
    }
    EXPECT_TRUE(again);
}

TEST(Threads, EndOnlyWhenAllHasReturned) {
    std::atomic<bool> leaving = false;
    std::atomic<int> returned = 0;
    {
        Threads threads;
        for (int i = 0; i < 3; ++i)
            std::ignore = threads.run([&] {
                leaving.wait(false);
                ++returned;
            });
        leaving = true;
        leaving.notify_all();
    }
    EXPECT_EQ(3, returned);
}

}  // namespace
}  // namespace fermata
