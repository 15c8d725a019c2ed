#include "../src/together.hpp"

#include <gmock/gmock.h>

#include <future>
#include <latch>
#include <stdexcept>
#include <thread>

namespace fermata {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

/// Its first group is held until the test lets it go.
class Asked {
public:
    bool ask(int number) { return together_.ask(number, group_); }
    /// What `others` answer that ask while a first one is under way: all of them are waiting when it is let go.
    std::vector<std::future<bool>> behind_a_first(int others) {
        auto first = std::async(std::launch::async, [this] { return ask(0); });
        begun_.wait();
        std::vector<std::future<bool>> answers;
        for (int i = 1; i <= others; ++i)
            answers.push_back(std::async(std::launch::async, [this, i] { return ask(i); }));
        while (together_.waiting() < static_cast<std::size_t>(others)) std::this_thread::yield();
        go_on_.count_down();
        EXPECT_TRUE(first.get());
        return answers;
    }
    std::vector<std::vector<int>> groups;
    std::function<bool()> of_groups = [] { return true; };

private:
    bool serve(std::span<const int* const> numbers) {
        std::vector<int>& group = groups.emplace_back();
        for (const int* number : numbers) group.push_back(*number);
        if (groups.size() > 1) return of_groups();
        begun_.count_down();
        go_on_.wait();
        return true;
    }
    std::latch begun_{1};
    std::latch go_on_{1};
    Together<int> together_;
    Together<int>::Group group_ = [this](std::span<const int* const> numbers) { return serve(numbers); };
};

TEST(Together, WhoeverComesWhileOneIsUnderWayGoesWithTheOthers) {
    Asked asked;
    for (auto& answer : asked.behind_a_first(3)) EXPECT_TRUE(answer.get());
    ASSERT_EQ(2U, asked.groups.size());
    EXPECT_THAT(asked.groups[0], ElementsAre(0));
    EXPECT_THAT(asked.groups[1], UnorderedElementsAre(1, 2, 3));
}

TEST(Together, OneAfterTheOtherEachGoesAlone) {
    Asked asked;
    (void)asked.behind_a_first(0);
    EXPECT_TRUE(asked.ask(1));
    EXPECT_TRUE(asked.ask(2));
    EXPECT_THAT(asked.groups, ElementsAre(ElementsAre(0), ElementsAre(1), ElementsAre(2)));
}

TEST(Together, WhatCannotBeDoneTogetherIsDoneAlone) {
    Asked asked;
    asked.of_groups = [] { return false; };
    for (auto& answer : asked.behind_a_first(3)) EXPECT_FALSE(answer.get());
    EXPECT_EQ(2U, asked.groups.size());
}

TEST(Together, WhatAGroupThrowsReachesAllOfIt) {
    Asked asked;
    asked.of_groups = []() -> bool { throw std::runtime_error("the server is gone"); };
    for (auto& answer : asked.behind_a_first(3)) EXPECT_THROW((void)answer.get(), std::runtime_error);
    asked.of_groups = [] { return true; };
    EXPECT_TRUE(asked.ask(4)) << "and nobody waits for ever";
}

}  // namespace
}  // namespace fermata
