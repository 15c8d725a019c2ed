#include "support.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>

#include <fcntl.h>
#include <sys/time.h>
#include <csignal>

namespace fermata {
namespace {

class Lock : public testing::Test {
protected:
    File open() const { return File::open(path_, O_RDWR | O_CREAT); }
    std::filesystem::path path() const { return path_; }

private:
    TemporaryFolder folder_;
    std::filesystem::path path_ = folder_ / "locked";
};

TEST_F(Lock, TwoOpensOfOneProcessExcludeEachOther) {
    const File first = open();
    const File second = open();
    EXPECT_TRUE(try_lock(first.fd()));
    EXPECT_FALSE(try_lock(second.fd()));
    EXPECT_TRUE(try_lock(first.fd())) << "one's own lock is no obstacle";
    unlock(first.fd(), 0);
    EXPECT_TRUE(try_lock(second.fd()));
}

TEST_F(Lock, RangesAreIndependent) {
    const File first = open();
    const File second = open();
    EXPECT_TRUE(try_lock(first.fd(), 10, 5));
    EXPECT_TRUE(try_lock(second.fd(), 0, 10));
    EXPECT_TRUE(try_lock(second.fd(), 15, 1));
    EXPECT_FALSE(try_lock(second.fd(), 14, 1));
}

TEST_F(Lock, ClosingReleases) {
    const File second = open();
    {
        const File first = open();
        EXPECT_TRUE(try_lock(first.fd()));
    }
    EXPECT_TRUE(try_lock(second.fd()));
}

TEST_F(Lock, ClosingAnotherOpenOfTheFileReleasesNothing) {
    const File first = open();
    EXPECT_TRUE(try_lock(first.fd()));
    (void)open();
    EXPECT_FALSE(try_lock(open().fd()));
}

TEST_F(Lock, AChildThatKeepsTheDescriptorKeepsTheLockUntilItIsKilled) {
    Pipe never;
    File owner = open();
    ASSERT_TRUE(try_lock(owner.fd()));
    const pid_t child = fork_child([&] {
        never.close_writing();
        never.receive();
        return 0;
    });
    owner = File();
    const File other = open();
    EXPECT_FALSE(try_lock(other.fd()));
    ::kill(child, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(wait_status(child)));
    EXPECT_TRUE(try_lock(other.fd()));
}

TEST_F(Lock, DiesWithAProcessThatIsKilledWhileItHoldsIt) {
    Pipe ready;
    const pid_t owner = fork_child([&] {
        const File file = open();
        if (!try_lock(file.fd())) return 1;
        ready.send();
        for (;;) ::pause();
    });
    ASSERT_TRUE(ready.receive());
    const File other = open();
    EXPECT_FALSE(try_lock(other.fd()));
    ::kill(owner, SIGKILL);
    EXPECT_TRUE(WIFSIGNALED(wait_status(owner)));
    EXPECT_TRUE(try_lock(other.fd()));
}

int ticks_to = -1;
void tick(int) { [[maybe_unused]] const auto written = ::write(ticks_to, "x", 1); }

/// Signals this process every millisecond, without restarting system calls.
void start_ticking(int fd) {
    ticks_to = fd;
    struct sigaction action{};
    action.sa_handler = tick;
    ::sigaction(SIGALRM, &action, nullptr);
    const itimerval every{{0, 1000}, {0, 1000}};
    ::setitimer(ITIMER_REAL, &every, nullptr);
}

TEST_F(Lock, BlockingWaitsThroughSignalsUntilTheOwnerIsDone) {
    Pipe ticks;
    Pipe locked;
    const File owner = open();
    lock_blocking(owner.fd(), 3);
    const pid_t waiter = fork_child([&] {
        const File file = open();
        start_ticking(ticks.writing());
        lock_blocking(file.fd(), 3);
        // Stop the ticks before the pipe is written to: a send must not be interrupted.
        ::signal(SIGALRM, SIG_IGN);
        locked.send();
        return 0;
    });
    locked.close_writing();
    for (int tick_number = 0; tick_number < 50; ++tick_number) ASSERT_TRUE(ticks.receive());
    EXPECT_EQ(::fcntl(locked.reading(), F_SETFL, O_NONBLOCK), 0);
    EXPECT_FALSE(locked.receive()) << "locked although the owner still holds it";
    EXPECT_EQ(::fcntl(locked.reading(), F_SETFL, 0), 0);
    unlock(owner.fd(), 3);
    EXPECT_TRUE(locked.receive());
    EXPECT_EQ(exit_code(waiter), 0);
}

TEST_F(Lock, SaysPathAndReasonWhenItCannotBeTaken) {
    (void)open();
    const File reading = File::open(path(), O_RDONLY);
    const std::string message = "cannot lock \"" + path().string() + "\": Bad file descriptor";
    EXPECT_EQ(message_of<IoError>([&] { (void)try_lock(reading.fd()); }), message);
    EXPECT_EQ(message_of<IoError>([&] { lock_blocking(reading.fd(), 0); }), message);
    EXPECT_EQ(message_of<IoError>([&] { unlock(987, 0); }), "cannot unlock \"descriptor 987\": Bad file descriptor");
}

}  // namespace
}  // namespace fermata
