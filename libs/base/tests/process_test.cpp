#include "support.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/process.hpp>
#include <fermata/base/text.hpp>

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <csignal>

namespace fermata {
namespace {

TEST(Process, ThisOneIsFoundByItsPid) {
    const auto self = this_process();
    EXPECT_EQ(self.pid, ::getpid());
    EXPECT_GT(self.start_ticks, 0);
    EXPECT_EQ(process_of(self.pid), self);
}

TEST(Process, IsGoneOnceItDiedEvenIfNobodyHasWaitedForIt) {
    Pipe pipe;
    const pid_t child = fork_child([&] {
        pipe.close_writing();
        pipe.receive();
        return 0;
    });
    const auto alive = process_of(child);
    ASSERT_TRUE(alive);
    EXPECT_EQ(alive->pid, child);
    EXPECT_GE(alive->start_ticks, this_process().start_ticks);
    ::kill(child, SIGKILL);
    siginfo_t death{};
    ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &death, WEXITED | WNOWAIT), 0);
    EXPECT_EQ(process_of(child), std::nullopt) << "a zombie does nothing any more";
    wait_status(child);
    EXPECT_EQ(process_of(child), std::nullopt);
}

TEST(Process, ItsNameMayLookLikeTheFieldsAfterIt) {
    EXPECT_EQ(exit_code(fork_child([] {
                  const auto before = this_process();
                  ::prctl(PR_SET_NAME, ") Z 1 2 (x");
                  return this_process() == before ? 0 : 1;
              })),
              0);
}

TEST(Process, IsNotCalledGoneWhenItCannotBeLookedAt) {
    EXPECT_EQ(exit_code(fork_child([] {
                  const rlimit none{0, 0};
                  ::setrlimit(RLIMIT_NOFILE, &none);
                  const auto message = message_of<IoError>([] { (void)process_of(::getpid()); });
                  return message.ends_with("stat\": Too many open files") ? 0 : 1;
              })),
              0);
}

TEST(Process, NeedsToSeeItself) {
    constexpr int not_allowed = 77;
    const int code = exit_code(fork_child([] {
        if (::unshare(CLONE_NEWNS) != 0 && ::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0) return not_allowed;
        if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0) return not_allowed;
        if (::mount("none", "/proc", "tmpfs", 0, nullptr) != 0) return not_allowed;
        const auto message = message_of<Error>([] { (void)this_process(); });
        return message.starts_with("/proc does not show this process") ? 0 : 1;
    }));
    if (code == not_allowed) GTEST_SKIP() << "this user may not mount anything, not even for itself";
    EXPECT_EQ(code, 0);
}

TEST(Host, HasItsNamesFromTheKernel) {
    EXPECT_EQ(host_name(), trim(read_file("/proc/sys/kernel/hostname")));
    EXPECT_EQ(boot_id().size(), 36U);
    EXPECT_EQ(boot_id(), boot_id());
}

TEST(UserName, IsThatOfTheEffectiveUser) {
    EXPECT_NE(user_name(), "");
    if (::geteuid() != 0) GTEST_SKIP() << "only root may become somebody else";
    EXPECT_EQ(user_name(), "root");
    EXPECT_EQ(exit_code(fork_child([] { return ::seteuid(54321) == 0 && user_name() == "54321" ? 0 : 1; })), 0);
}

TEST(ThisExecutable, IsTheTestProgram) { EXPECT_EQ(this_executable().filename(), "base_test"); }

}  // namespace
}  // namespace fermata
