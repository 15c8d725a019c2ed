#pragma once
// Fermata's side of a guard: starts a command under one, orders it to end, learns how it ended.
#include "guard_protocol.hpp"

#include <fermata/base/file.hpp>

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

struct Pipe {
    File read;
    File write;
};
/// Both ends close-on-exec.
[[nodiscard]] Pipe make_pipe();
/// write(2) to a pipe whose reader may be gone: EPIPE and no signal.
[[nodiscard]] ssize_t write_quietly(int fd, std::string_view bytes) noexcept;

/// What to start. Descriptors are borrowed for the call.
struct ChildPlan {
    std::vector<std::string> argv;         ///< not empty; argv[0] is looked up in PATH
    std::vector<std::string> environment;  ///< "NAME=value", whole
    std::filesystem::path folder;          ///< empty = ours
    int input = -1;                        ///< -1 = /dev/null
    int output = 1;
    int error = 2;
    int owner_fd = -1;  ///< the owner file, or -1
};

/// How a command ended.
struct ChildEnd {
    guard::Outcome outcome = guard::Outcome::exited;
    int value = 0;
    [[nodiscard]] bool succeeded() const noexcept { return outcome == guard::Outcome::exited && value == 0; }
    /// Ended as TERM or KILL make end: by the signal, or with the code shells and runtimes give for it (143, 137).
    [[nodiscard]] bool ended_by_stop() const noexcept;
};
/// "exit code 3", "killed by signal 11 (Segmentation fault)", "cannot run "x": No such file or directory".
[[nodiscard]] std::string describe(const ChildEnd& end, const ChildPlan& plan);

/// One command under its guard. For one thread.
class GuardedChild {
public:
    /// Throws IoError if no guard can be started. A command that cannot be started is told by end().
    explicit GuardedChild(const ChildPlan& plan);
    GuardedChild(const GuardedChild&) = delete;
    GuardedChild& operator=(const GuardedChild&) = delete;
    ~GuardedChild();  ///< kills what still runs, and waits until it is gone

    /// Readable when end() will answer at once.
    [[nodiscard]] int ended_fd() const noexcept { return report_.fd(); }
    /// TERM to the command's process group; harmless once it has ended.
    void terminate() noexcept;
    /// KILL to the command and all its descendants; harmless once it has ended.
    void kill() noexcept;
    /// Waits until the command and all its descendants are gone. The first answer is kept.
    [[nodiscard]] ChildEnd end();

private:
    void reap() noexcept;
    pid_t guard_ = -1;
    File control_;
    File report_;
    ChildEnd end_{guard::Outcome::signalled, 9};
};

}  // namespace fermata
