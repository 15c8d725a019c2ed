#pragma once
// What an operator may ask of an execution, and what must be true of each answer: it tells of a status that the
// execution had at some instant between question and answer, and if it says that something was changed, then exactly
// this was changed, in that time, by nobody else.
#include "history.hpp"

#include <fermata/repository/repository.hpp>

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace fermata::testing {

/// One command and its answer.
struct Told {
    std::string verb;
    std::int64_t execution = 0;  ///< what it was about
    std::int64_t before = 0;     ///< newest change of that execution, before and after the command
    std::int64_t after = 0;
    std::string answer;                 ///< in a word
    std::optional<BatchStatus> status;  ///< what the answer says that the execution is, or was
    std::optional<BatchStatus> made;    ///< what it says to have turned it into
    std::int64_t restarted_as = 0;
};
[[nodiscard]] std::string to_string(const Told& told);

/// Asks; fills in all but `before` and `after`.
[[nodiscard]] Told stop(Repository& store, JobExecutionId id, const std::string& actor, bool now);
[[nodiscard]] Told pause(Repository& store, JobExecutionId id, const std::string& actor, bool after_step);
[[nodiscard]] Told resume(Repository& store, JobExecutionId id, const std::string& actor);
[[nodiscard]] Told send_signal(Repository& store, JobExecutionId id, const std::string& actor);
[[nodiscard]] Told abandon(Repository& store, JobExecutionId id, const std::string& actor);
[[nodiscard]] Told restart(Repository& store, JobExecutionId id, const std::string& actor);
[[nodiscard]] Told recover(Repository& store, JobExecutionId id, const std::string& actor);
[[nodiscard]] Told stop_step(Repository& store, JobExecutionId id, const std::string& actor);

/// What of all these answers is not true.
[[nodiscard]] std::vector<std::string> untrue(const std::vector<Told>& all, const History& history);

}  // namespace fermata::testing
