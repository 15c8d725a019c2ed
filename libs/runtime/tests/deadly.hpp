#pragma once
// Owners that die: children of the test, killed in the middle of their work.
#include "harness.hpp"

#include <sys/wait.h>
#include <unistd.h>
#include <csignal>

namespace fermata::test {

class Deadly : public Harness {
protected:
    /// Runs `work` in a child process with a repository of its own; answers its wait status. The child must not return
    /// into the test.
    template <class Work>
    int in_child(Work&& work) {
        operator_.reset();
        repository_.reset();  // SQLite handles do not cross a fork
        const pid_t child = fork();
        if (child == 0) {
            int code = 99;
            try {
                reopen();
                code = work();
            } catch (const std::exception& error) {
                fprintf(stderr, "child: %s\n", error.what());
            }
            _exit(code);
        }
        int status = 0;
        EXPECT_EQ(waitpid(child, &status, 0), child);
        reopen();
        return status;
    }
    [[noreturn]] static void die() {
        kill(getpid(), SIGKILL);
        for (;;) pause();
    }
    static bool died(int status) { return WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL; }
    JobExecutionId latest() { return *repository_->latest(std::nullopt); }
};

}  // namespace fermata::test
