#include "support.hpp"

#include <fermata/base/file.hpp>
#include <fermata/base/id.hpp>
#include <fermata/base/point.hpp>

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace fermata {
namespace {

// The environment is read when a process starts: each body runs in a new process of this program.
class PointDeathTest : public testing::Test {
protected:
    void SetUp() override {
        testing::FLAGS_gtest_death_test_style = "threadsafe";
        write_file_durably(log(), "before\n");
    }
    void TearDown() override {
        ::unsetenv("FERMATA_POINT");
        ::unsetenv("FERMATA_POINT_LOG");
        ::unsetenv("FERMATA_POINT_SIGNAL");
        std::filesystem::remove(log());
        ::unsetenv("POINT_TEST_LOG");
    }
    /// A log with one line in it. The new process, which runs the test from its beginning, inherits its name.
    static std::filesystem::path log() {
        const std::string name = std::filesystem::temp_directory_path() / ("fermata-" + new_uuid() + ".log");
        ::setenv("POINT_TEST_LOG", name.c_str(), 0);
        return std::getenv("POINT_TEST_LOG");
    }
    static void walk() {
        FERMATA_POINT("one");
        FERMATA_POINT("two");
        FERMATA_POINT("one");
        ::_exit(0);
    }
};

TEST_F(PointDeathTest, NothingHappensUnlessAsked) {
    EXPECT_FALSE(point::armed);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(0), "");
}

TEST_F(PointDeathTest, KillsAtTheFirstArrival) {
    ::setenv("FERMATA_POINT", "two", 1);
    EXPECT_EXIT(walk(), testing::KilledBySignal(SIGKILL), "");
}

TEST_F(PointDeathTest, KillsAtTheNthArrival) {
    ::setenv("FERMATA_POINT", "one:2", 1);
    EXPECT_EXIT(walk(), testing::KilledBySignal(SIGKILL), "");
    ::setenv("FERMATA_POINT", "one:3", 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(0), "");
}

TEST_F(PointDeathTest, ANameThatIsNotReachedKillsNobody) {
    ::setenv("FERMATA_POINT", "on", 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(0), "");
}

TEST_F(PointDeathTest, LogsEveryArrival) {
    ::setenv("FERMATA_POINT_LOG", log().c_str(), 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(0), "");
    EXPECT_EQ(read_file(log()), "before\none\ntwo\none\n");
}

TEST_F(PointDeathTest, LogsTheDeadlyArrivalToo) {
    ::setenv("FERMATA_POINT_LOG", log().c_str(), 1);
    ::setenv("FERMATA_POINT", "two", 1);
    EXPECT_EXIT(walk(), testing::KilledBySignal(SIGKILL), "");
    EXPECT_EQ(read_file(log()), "before\none\ntwo\n");
}

TEST_F(PointDeathTest, StopsAndGoesOn) {
    ::setenv("FERMATA_POINT", "two", 1);
    ::setenv("FERMATA_POINT_SIGNAL", "STOP", 1);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::execl("/proc/self/exe", "base_test", "--gtest_filter=PointDeathTest.Walks", nullptr);
    int status = 0;
    ASSERT_EQ(child, ::waitpid(child, &status, WUNTRACED));
    EXPECT_TRUE(WIFSTOPPED(status));
    ::kill(child, SIGCONT);
    ASSERT_EQ(child, ::waitpid(child, &status, 0));
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

/// What the process of the test before does.
TEST_F(PointDeathTest, Walks) {
    if (point::armed) walk();
}

TEST_F(PointDeathTest, RefusesASignalItDoesNotKnow) {
    ::setenv("FERMATA_POINT", "two", 1);
    ::setenv("FERMATA_POINT_SIGNAL", "TERM", 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(2), "expected KILL or STOP");
}

TEST_F(PointDeathTest, RefusesWhatIsNoCount) {
    for (const char* wrong : {"one:", "one:0", "one:-1", "one:x"}) {
        ::setenv("FERMATA_POINT", wrong, 1);
        EXPECT_EXIT(walk(), testing::ExitedWithCode(2), "expected NAME or NAME:N with N from 1");
    }
}

TEST_F(PointDeathTest, RefusesALogItCannotWrite) {
    ::setenv("FERMATA_POINT_LOG", "/nowhere/at/all", 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(2), "FERMATA_POINT_LOG=\"/nowhere/at/all\": No such file");
    ::setenv("FERMATA_POINT_LOG", "/dev/full", 1);
    EXPECT_EXIT(walk(), testing::ExitedWithCode(2), "FERMATA_POINT_LOG: cannot write: No space left");
}

}  // namespace
}  // namespace fermata
