#include <fermata/base/idle_work.hpp>

#include <gtest/gtest.h>

#include <optional>
#include <thread>

namespace fermata {
namespace {

TEST(IdleWork, IsDoneOnceByTheNextWaitOfItsThread) {
    int done = 0;
    const IdleWork work([&] { ++done; });
    IdleWork::run();
    EXPECT_EQ(0, done);
    work.offer();
    std::thread([] { IdleWork::run(); }).join();
    EXPECT_EQ(0, done);
    IdleWork::run();
    IdleWork::run();
    EXPECT_EQ(1, done);
}

TEST(IdleWork, IsNotDoneOnceItIsWithdrawnOrGone) {
    int done = 0;
    std::optional<IdleWork> work([&] { ++done; });
    const IdleWork other([&] { done += 10; });
    work->offer();
    other.withdraw();
    work->withdraw();
    IdleWork::run();
    EXPECT_EQ(0, done);
    work->offer();
    work.reset();
    IdleWork::run();
    EXPECT_EQ(0, done);
}

TEST(IdleWork, OfSeveralTheLastIsDone) {
    int done = 0;
    const IdleWork one([&] { ++done; });
    const IdleWork other([&] { done += 10; });
    one.offer();
    other.offer();
    IdleWork::run();
    EXPECT_EQ(10, done);
}

}  // namespace
}  // namespace fermata
