// Children never outlive Fermata: real processes, killed for real.
#include "guarded_child.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/process.hpp>
#include <fermata/items/guard.hpp>
#include <fermata/testing/temp_folder.hpp>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <poll.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <sstream>

namespace fermata {
namespace {

constexpr int deadline_ms = 30'000;

ChildPlan shell(const std::string& script) {
    ChildPlan plan;
    plan.argv = {"/bin/sh", "-c", script};
    plan.environment = {"PATH=/usr/bin:/bin"};
    return plan;
}

/// Reads lines from a pipe, each within the deadline.
class Lines {
public:
    explicit Lines(int fd) : fd_(fd) {}
    std::string next() {
        while (buffer_.find('\n') == std::string::npos) {
            pollfd event{fd_, POLLIN, 0};
            char bytes[512];
            if (::poll(&event, 1, deadline_ms) != 1) return "nothing came";
            const ssize_t size = ::read(fd_, bytes, sizeof bytes);
            if (size <= 0) return "the pipe ended";
            buffer_.append(bytes, static_cast<std::size_t>(size));
        }
        const std::string line = buffer_.substr(0, buffer_.find('\n'));
        buffer_.erase(0, line.size() + 1);
        return line;
    }

private:
    int fd_;
    std::string buffer_;
};

std::string output_of(ChildPlan plan) {
    Pipe pipe = make_pipe();
    plan.output = pipe.write.fd();
    GuardedChild child(plan);
    pipe.write = File();
    std::string text = read_all(pipe.read.fd(), "pipe");
    EXPECT_TRUE(child.end().succeeded());
    return text;
}

File watch(pid_t pid) { return File(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

bool ends_in_time(const File& process) {
    pollfd event{process.fd(), POLLIN, 0};
    return ::poll(&event, 1, deadline_ms) == 1;
}

bool runs(pid_t pid) { return process_of(pid).has_value(); }

/// A second process that owns a lock and a command with a family; to be killed.
class GuardOwner : public ::testing::Test {
protected:
    void TearDown() override {
        if (owner_ > 0) kill_owner();
    }

    void start_owner(const std::string& script) {
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        ::posix_spawn_file_actions_adddup2(&actions, output_.write.fd(), STDOUT_FILENO);
        const std::string program = this_executable().string();
        const char* argv[] = {program.c_str(), "__owner", lock_path_.c_str(), "/bin/sh", "-c", script.c_str(), nullptr};
        ASSERT_EQ(::posix_spawn(&owner_, program.c_str(), &actions, nullptr, const_cast<char**>(argv), environ), 0);
        ::posix_spawn_file_actions_destroy(&actions);
    }
    void kill_owner() {
        ::kill(owner_, SIGKILL);
        ::waitpid(owner_, nullptr, 0);
        owner_ = -1;
    }
    pid_t next_pid() { return static_cast<pid_t>(std::stol(lines_.next())); }
    void wait_for_lock() {
        const File file = File::open(lock_path_, O_RDWR);
        lock_blocking(file.fd(), 0);
    }

    testing::TempFolder folder_;
    std::filesystem::path lock_path_ = folder_.path() / "owner";
    pid_t owner_ = -1;
    Pipe output_ = make_pipe();
    Lines lines_{output_.read.fd()};
};

TEST(Guard, ReportsTheExitCodeOfTheCommand) {
    GuardedChild child(shell("exit 7"));
    const ChildEnd end = child.end();
    EXPECT_EQ(end.outcome, guard::Outcome::exited);
    EXPECT_EQ(end.value, 7);
    EXPECT_EQ(child.end().value, 7) << "the first answer is kept";
}

TEST(Guard, ReportsTheSignalThatKilledTheCommand) {
    const ChildPlan plan = shell("kill -SEGV $$");
    GuardedChild child(plan);
    const ChildEnd end = child.end();
    EXPECT_EQ(end.outcome, guard::Outcome::signalled);
    EXPECT_EQ(describe(end, plan), "killed by signal 11 (Segmentation fault)");
}

TEST(Guard, SaysThatAProgramDoesNotExist) {
    ChildPlan plan = shell("");
    plan.argv = {"no-such-program"};
    GuardedChild child(plan);
    EXPECT_EQ(describe(child.end(), plan), "cannot run \"no-such-program\": No such file or directory");
}

TEST(Guard, SaysThatAFolderDoesNotExist) {
    ChildPlan plan = shell("exit 0");
    plan.folder = "/no/such/folder";
    GuardedChild child(plan);
    EXPECT_EQ(describe(child.end(), plan), "cannot enter its workdir \"/no/such/folder\": No such file or directory");
}

TEST(Guard, RunsInTheFolderWithTheEnvironmentGiven) {
    ChildPlan plan = shell("echo \"$PWD $ONLY\"");
    plan.environment.emplace_back("ONLY=this");
    plan.folder = "/usr";
    EXPECT_EQ(output_of(plan), "/usr this\n");
}

TEST(Guard, CommandHasNoDescriptorButItsThree) {
    const File leak(::open("/dev/null", O_RDONLY));  // not close-on-exec, as from a careless library
    const File owner = File::open("/dev/null", O_RDONLY);
    ChildPlan plan = shell("ls /proc/$$/fd");
    plan.owner_fd = owner.fd();
    EXPECT_EQ(output_of(plan), "0\n1\n2\n");
}

TEST(Guard, CommandIsNotDeafToSignalsTheGuardIgnores) {
    GuardedChild child(shell("kill -TERM $$; exit 3"));
    EXPECT_EQ(child.end().outcome, guard::Outcome::signalled);
}

TEST(Guard, TerminatesTheProcessGroup) {
    Pipe pipe = make_pipe();
    ChildPlan plan = shell("sleep 1000 & echo $!; wait");
    plan.output = pipe.write.fd();
    GuardedChild child(plan);
    const auto sleeper = static_cast<pid_t>(std::stol(Lines(pipe.read.fd()).next()));
    child.terminate();
    EXPECT_TRUE(child.end().ended_by_stop());
    EXPECT_FALSE(runs(sleeper));
}

TEST(Guard, KillEndsWhatIgnoresTerm) {
    Pipe pipe = make_pipe();
    ChildPlan plan = shell("trap '' TERM; echo ready; while :; do sleep 1000; done");
    plan.output = pipe.write.fd();
    GuardedChild child(plan);
    EXPECT_EQ(Lines(pipe.read.fd()).next(), "ready");
    child.terminate();
    child.kill();
    const ChildEnd end = child.end();
    EXPECT_EQ(end.outcome, guard::Outcome::signalled);
    EXPECT_EQ(end.value, SIGKILL);
}

TEST(Guard, OrdersToAnEndedCommandAreHarmless) {
    GuardedChild child(shell("exit 0"));
    pollfd event{child.ended_fd(), POLLIN, 0};
    ASSERT_EQ(::poll(&event, 1, deadline_ms), 1);
    child.terminate();
    child.kill();
    EXPECT_TRUE(child.end().succeeded());
    child.terminate();
}

TEST(Guard, WhatACommandLeavesBehindEndsWithIt) {
    Pipe pipe = make_pipe();
    ChildPlan plan = shell("setsid sleep 1000 & echo $!; exit 0");
    plan.output = pipe.write.fd();
    GuardedChild child(plan);
    const auto left = static_cast<pid_t>(std::stol(Lines(pipe.read.fd()).next()));
    EXPECT_TRUE(child.end().succeeded());
    EXPECT_FALSE(runs(left));
}

TEST(Guard, DestroyingAChildKillsIt) {
    Pipe pipe = make_pipe();
    ChildPlan plan = shell("echo $$; exec sleep 1000");
    plan.output = pipe.write.fd();
    auto child = std::make_unique<GuardedChild>(plan);
    const auto pid = static_cast<pid_t>(std::stol(Lines(pipe.read.fd()).next()));
    child.reset();
    EXPECT_FALSE(runs(pid));
}

TEST(Guard, MissingGuardExecutableIsSaidByName) {
    const auto before = std::exchange(guard_executable(), "/no/such/fermata");
    EXPECT_THAT(
        [] { GuardedChild child(shell("exit 0")); },
        ::testing::ThrowsMessage<IoError>("cannot start the guard \"/no/such/fermata\": No such file or directory"));
    guard_executable() = before;
}

TEST(Guard, WithoutACommandIsAUsageError) {
    char program[] = "fermata";
    char verb[] = "__guard";
    char* argv[] = {program, verb, nullptr};
    EXPECT_EQ(guard_main(2, argv), 2);
}

// A child, a grandchild, one in a session of its own, and an orphan of a dead parent.
constexpr const char* family = R"(
    echo $PPID; echo $$
    sh -c 'echo $$; sleep 1000; :' &
    setsid sh -c 'echo $$; trap "" TERM HUP; sleep 1000; :' &
    sh -c 'setsid sh -c "echo \$\$; exec sleep 1000" &' 
    wait)";

TEST_F(GuardOwner, KilledTakesTheWholeFamilyAndOnlyThenFreesTheLock) {
    start_owner(family);
    const pid_t guard = next_pid();
    const std::vector<pid_t> pids{next_pid(), next_pid(), next_pid(), next_pid()};
    // A guard that is held back shows that the lock is its own: Fermata is dead, the family lives, nobody gets it.
    ::kill(guard, SIGSTOP);
    kill_owner();
    const File other = File::open(lock_path_, O_RDWR);
    EXPECT_FALSE(try_lock(other.fd()));
    for (const pid_t pid : pids) EXPECT_TRUE(runs(pid)) << pid;
    ::kill(guard, SIGCONT);
    wait_for_lock();
    for (const pid_t pid : pids) EXPECT_FALSE(runs(pid)) << pid;
}

TEST_F(GuardOwner, IsNotSavedBySignalsToTheGuard) {
    start_owner("echo $PPID; echo $$; exec sleep 1000");
    const pid_t guard = next_pid();
    const pid_t command = next_pid();
    for (const int signal : {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGUSR1}) ::kill(guard, signal);
    kill_owner();
    wait_for_lock();
    EXPECT_FALSE(runs(command));
}

TEST_F(GuardOwner, KilledTogetherWithTheGuardStillTakesTheCommand) {
    start_owner("echo $PPID; echo $$; exec sleep 1000");
    const pid_t guard = next_pid();
    const File command = watch(next_pid());
    ::kill(guard, SIGKILL);
    kill_owner();
    EXPECT_TRUE(ends_in_time(command));
}

TEST(Guard, KilledGuardIsReportedAsAKilledCommand) {
    Pipe pipe = make_pipe();
    ChildPlan plan = shell("echo $PPID; echo $$; exec sleep 1000");
    plan.output = pipe.write.fd();
    GuardedChild child(plan);
    Lines lines(pipe.read.fd());
    const auto guard = static_cast<pid_t>(std::stol(lines.next()));
    ::kill(guard, SIGKILL);
    EXPECT_EQ(child.end().outcome, guard::Outcome::signalled);
}

}  // namespace
}  // namespace fermata
