#include <fermata/items/guard.hpp>

#include "guard_protocol.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <optional>
#include <string>

namespace fermata {
namespace {

using guard::Outcome;
using guard::Report;

// Signals somebody may send to everything called fermata. The guard ends only with its pipe.
constexpr std::array ignored_signals{SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE, SIGUSR1, SIGUSR2, SIGALRM};

Report report_of(int status) {
    if (WIFSIGNALED(status)) return {Outcome::signalled, WTERMSIG(status)};
    return {Outcome::exited, WEXITSTATUS(status)};
}

[[noreturn]] void fail_start(int fd, Report report) {
    (void)!::write(fd, &report, sizeof report);
    ::_exit(127);
}

[[noreturn]] void become_command(pid_t guard, int failure_fd, const char* folder, char** argv) {
    ::setpgid(0, 0);
    // The guard has one thread, so the signal cannot come from a thread's end; it may have died before the call.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != guard) ::_exit(127);
    for (const int signal : ignored_signals) ::signal(signal, SIG_DFL);
    sigset_t none;
    ::sigemptyset(&none);
    ::sigprocmask(SIG_SETMASK, &none, nullptr);
    if (*folder != '\0' && ::chdir(folder) != 0) fail_start(failure_fd, {Outcome::no_folder, errno});
    ::execvp(argv[0], argv);
    fail_start(failure_fd, {Outcome::no_exec, errno});
}

class Guard {
public:
    Report run(const char* folder, char** argv) {
        prepare();
        std::optional<Report> end = start(folder, argv);
        if (!end) end = watch();
        kill_all();
        return end ? *end : report_of(command_status_);
    }

private:
    void prepare() {
        ::prctl(PR_SET_CHILD_SUBREAPER, 1);
        ::prctl(PR_SET_NAME, "fermata-guard");
        for (const int fd : {guard::control_fd, guard::report_fd, guard::owner_fd}) ::fcntl(fd, F_SETFD, FD_CLOEXEC);
        ::close_range(guard::owner_fd + 1, ~0U, 0);
        for (const int signal : ignored_signals) ::signal(signal, SIG_IGN);
        sigset_t child;
        ::sigemptyset(&child);
        ::sigaddset(&child, SIGCHLD);
        ::sigprocmask(SIG_BLOCK, &child, nullptr);
        child_fd_ = ::signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
    }

    std::optional<Report> start(const char* folder, char** argv) {
        std::array<int, 2> failure{};
        if (::pipe2(failure.data(), O_CLOEXEC) != 0) return Report{Outcome::no_fork, errno};
        const pid_t guard = ::getpid();
        command_ = ::fork();
        if (command_ < 0) return Report{Outcome::no_fork, errno};
        if (command_ == 0) become_command(guard, failure[1], folder, argv);
        ::setpgid(command_, command_);  // here too: an order may come before the command has done it
        ::close(failure[1]);
        for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) ::close(fd);  // the command's alone
        Report report;
        const bool failed = ::read(failure[0], &report, sizeof report) == sizeof report;
        ::close(failure[0]);
        return failed ? std::optional(report) : std::nullopt;
    }

    /// Nothing: Fermata is gone or wants everything killed.
    std::optional<Report> watch() {
        std::array<pollfd, 2> events{{{guard::control_fd, POLLIN, 0}, {child_fd_, POLLIN, 0}}};
        while (true) {
            if (::poll(events.data(), events.size(), -1) < 0) continue;
            if (events[1].revents != 0 && reap_ended()) return report_of(command_status_);
            if (events[0].revents != 0 && !obey()) return std::nullopt;
        }
    }

    [[nodiscard]] bool obey() const {
        char order = 0;
        if (::read(guard::control_fd, &order, 1) != 1) return false;
        if (order == guard::terminate) ::kill(-command_, SIGTERM);
        return true;
    }

    /// Whether the command itself has ended; orphans it left are reaped on the way.
    bool reap_ended() {
        signalfd_siginfo info{};
        while (::read(child_fd_, &info, sizeof info) > 0) {
        }
        bool ended = false;
        int status = 0;
        for (pid_t pid = 0; (pid = ::waitpid(-1, &status, WNOHANG)) > 0;) ended |= reaped(pid, status);
        return ended;
    }

    bool reaped(pid_t pid, int status) {
        if (pid == command_) command_status_ = status;
        return pid == command_;
    }

    /// Children only, again and again: the children of a killed one become ours, and a pid that only we can reap cannot
    /// mean another process. What may not be killed (a set-user-id command) is waited for.
    void kill_all() {
        int status = 0;
        while (true) {
            kill_children();
            const pid_t pid = ::waitpid(-1, &status, 0);
            if (pid < 0 && errno == ECHILD) return;
            if (pid > 0) reaped(pid, status);
        }
    }

    static void kill_children() {
        std::string list;
        const int fd = ::open("/proc/thread-self/children", O_RDONLY | O_CLOEXEC);
        std::array<char, 4096> part{};
        for (ssize_t size = 0; (size = ::read(fd, part.data(), part.size())) > 0;)
            list.append(part.data(), static_cast<std::size_t>(size));
        ::close(fd);
        const char* const end = list.data() + list.size();
        for (const char* at = list.data(); at < end; ++at) {
            pid_t pid = 0;
            const auto number = std::from_chars(at, end, pid);
            if (number.ec == std::errc{}) ::kill(pid, SIGKILL);
            at = number.ptr;
        }
    }

    int child_fd_ = -1;
    pid_t command_ = -1;
    int command_status_ = 0;
};

}  // namespace

int guard_main(int argc, char** argv) {
    constexpr int folder = 2;
    constexpr int command = 3;
    if (argc <= command) return 2;
    const Report report = Guard().run(argv[folder], argv + command);
    (void)!::write(guard::report_fd, &report, sizeof report);
    return 0;
}

std::filesystem::path& guard_executable() {
    static std::filesystem::path path = "/proc/self/exe";
    return path;
}

}  // namespace fermata
