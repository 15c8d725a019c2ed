#pragma once
// What a command says on stderr: copied to the step's log as it comes, its last line kept for the error message.
#include "guarded_child.hpp"

#include <fermata/batch/context.hpp>

#include <string>
#include <string_view>

namespace fermata {

/// Where output of a step's commands goes: its log, else our own stderr.
[[nodiscard]] int output_of(const StepContext& step) noexcept;

class ErrorTail {
public:
    /// Copies to `sink`, which is borrowed.
    explicit ErrorTail(int sink);

    /// For the command; to be closed with started() once the command has it.
    [[nodiscard]] int command_fd() const noexcept { return pipe_.write.fd(); }
    void started() { pipe_.write = File(); }
    /// To poll for reading; -1 at the end.
    [[nodiscard]] int fd() const noexcept { return pipe_.read.fd(); }
    /// Copies all there is now; never waits. What the sink cannot take (a full disk) is lost to it only.
    void pump();
    /// The last line that is not blank; cut if very long.
    [[nodiscard]] std::string_view last_line() const;

private:
    void copy(std::string_view text) const;
    void remember(std::string_view text);
    Pipe pipe_;
    int sink_;
    std::string line_;
    std::string last_;
};

}  // namespace fermata
