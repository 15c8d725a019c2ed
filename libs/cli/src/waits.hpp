#pragma once
// What an execution waits for, in words.
#include <fermata/model/records.hpp>

#include <string>

#include "session.hpp"

namespace fermata::cli {

/// "fermata resume 12 runs it here": what waits for a worker need not.
[[nodiscard]] std::string runs_here(const JobExecution& execution);
/// "signal:approve", "signal:approve (17/300)", with what is overdue; nothing if it does not wait.
[[nodiscard]] std::string waits_text(const JobExecution& execution);
/// One line a wait, with its message, since when, and how to answer; nothing if it does not wait.
[[nodiscard]] std::string waits_lines(const JobExecution& execution);
[[nodiscard]] bool is_overdue(const Pause& pause);
/// STARTING and nobody's: all it waited for has come.
[[nodiscard]] inline bool awaits_owner(const JobExecution& execution) {
    return execution.status == BatchStatus::starting && !execution.owner;
}
/// `show --waits`: what is open, what was, and the signals kept for what is not reached yet.
void print_waits(Session& session, JobExecutionId execution);
/// `--data`: JSON, or @FILE that holds it. Throws Error(invalid), Error(not_found).
[[nodiscard]] std::optional<std::string> payload_from(const std::optional<std::string>& data);

}  // namespace fermata::cli
