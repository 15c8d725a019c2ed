#include "guarded_child.hpp"

#include <fermata/base/error.hpp>
#include <fermata/items/guard.hpp>

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace fermata {
namespace {

/// posix_spawn (vfork inside) runs no code of ours in the child, which a process with threads could not afford.
class Spawn {
public:
    Spawn() {
        ::posix_spawn_file_actions_init(&actions_);
        ::posix_spawnattr_init(&attributes_);
        ::posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
        sigset_t signals;
        ::sigemptyset(&signals);
        ::posix_spawnattr_setsigmask(&attributes_, &signals);
        ::sigfillset(&signals);
        ::posix_spawnattr_setsigdefault(&attributes_, &signals);
    }
    Spawn(const Spawn&) = delete;
    Spawn& operator=(const Spawn&) = delete;
    ~Spawn() {
        ::posix_spawnattr_destroy(&attributes_);
        ::posix_spawn_file_actions_destroy(&actions_);
    }

    /// `from` becomes `to` in the child. A copy above all targets is the source, so that no target overwrites another's
    /// source.
    void give(int from, int to) {
        constexpr int above = 16;
        const int copy = ::fcntl(from, F_DUPFD_CLOEXEC, above);
        if (copy < 0) throw IoError(fmt::format("cannot pass a descriptor to a command: {}", ::strerror(errno)));
        copies_.emplace_back(copy);
        ::posix_spawn_file_actions_adddup2(&actions_, copy, to);
    }

    pid_t start(const std::string& program, char** argv, char** environment) {
        pid_t pid = -1;
        const int error = ::posix_spawn(&pid, program.c_str(), &actions_, &attributes_, argv, environment);
        if (error != 0) throw IoError(fmt::format("cannot start the guard \"{}\": {}", program, ::strerror(error)));
        return pid;
    }

private:
    posix_spawn_file_actions_t actions_{};
    posix_spawnattr_t attributes_{};
    std::vector<File> copies_;
};

std::vector<char*> pointers(const std::vector<std::string>& texts) {
    std::vector<char*> result;
    result.reserve(texts.size() + 1);
    for (const std::string& text : texts) result.push_back(const_cast<char*>(text.c_str()));
    result.push_back(nullptr);
    return result;
}

std::vector<std::string> guard_arguments(const ChildPlan& plan) {
    std::vector<std::string> arguments{"fermata", guard_verb, plan.folder.string()};
    arguments.insert(arguments.end(), plan.argv.begin(), plan.argv.end());
    return arguments;
}

}  // namespace

Pipe make_pipe() {
    std::array<int, 2> ends{};
    if (::pipe2(ends.data(), O_CLOEXEC) != 0)
        throw IoError(fmt::format("cannot make a pipe for a command: {}", ::strerror(errno)));
    return {File(ends[0]), File(ends[1])};
}

bool ChildEnd::ended_by_stop() const noexcept {
    constexpr int shell_signal = 128;
    const int signal = outcome == guard::Outcome::exited ? value - shell_signal : value;
    const bool by_signal = outcome == guard::Outcome::exited || outcome == guard::Outcome::signalled;
    return by_signal && (signal == SIGTERM || signal == SIGKILL);
}

std::string describe(const ChildEnd& end, const ChildPlan& plan) {
    switch (end.outcome) {
        case guard::Outcome::exited:
            return fmt::format("exit code {}", end.value);
        case guard::Outcome::signalled:
            return fmt::format("killed by signal {} ({})", end.value, ::strsignal(end.value));
        case guard::Outcome::no_exec:
            return fmt::format("cannot run \"{}\": {}", plan.argv.front(), ::strerror(end.value));
        case guard::Outcome::no_folder:
            return fmt::format("cannot enter its workdir \"{}\": {}", plan.folder.string(), ::strerror(end.value));
        case guard::Outcome::no_fork:
            return fmt::format("cannot make a process: {}", ::strerror(end.value));
    }
    return {};
}

ssize_t write_quietly(int fd, std::string_view bytes) noexcept {
    sigset_t pipe;
    sigset_t before;
    ::sigemptyset(&pipe);
    ::sigaddset(&pipe, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe, &before);
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    const int error = errno;
    constexpr timespec at_once{};
    if (written < 0 && error == EPIPE) ::sigtimedwait(&pipe, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return written;
}

GuardedChild::GuardedChild(const ChildPlan& plan) {
    Pipe control = make_pipe();
    Pipe report = make_pipe();
    const File nothing = plan.input < 0 ? File::open("/dev/null", O_RDONLY) : File();
    Spawn spawn;
    spawn.give(plan.input < 0 ? nothing.fd() : plan.input, STDIN_FILENO);
    spawn.give(plan.output, STDOUT_FILENO);
    spawn.give(plan.error, STDERR_FILENO);
    spawn.give(control.read.fd(), guard::control_fd);
    spawn.give(report.write.fd(), guard::report_fd);
    if (plan.owner_fd >= 0) spawn.give(plan.owner_fd, guard::owner_fd);
    const std::vector<std::string> arguments = guard_arguments(plan);
    guard_ = spawn.start(guard_executable().string(), pointers(arguments).data(), pointers(plan.environment).data());
    control_ = std::move(control.write);
    report_ = std::move(report.read);
}

GuardedChild::~GuardedChild() {
    kill();
    reap();
}

void GuardedChild::terminate() noexcept {
    // A guard that is gone has nobody to end.
    if (control_) (void)!write_quietly(control_.fd(), {&guard::terminate, 1});
}

void GuardedChild::kill() noexcept { control_ = File(); }

ChildEnd GuardedChild::end() {
    guard::Report report;
    ssize_t size = 0;
    while (report_ && (size = ::read(report_.fd(), &report, sizeof report)) < 0 && errno == EINTR) {
    }
    // A guard that says nothing was itself killed, and its command with it.
    if (size == sizeof report) end_ = {report.outcome, report.value};
    reap();
    return end_;
}

void GuardedChild::reap() noexcept {
    report_ = File();
    control_ = File();
    if (guard_ < 0) return;
    while (::waitpid(guard_, nullptr, 0) < 0 && errno == EINTR) {
    }
    guard_ = -1;
}

}  // namespace fermata
