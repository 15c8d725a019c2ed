#include <fermata/model/status.hpp>

#include <algorithm>
#include <array>
#include <cctype>

namespace fermata {
namespace {

constexpr std::array<std::string_view, 9> names = {"STARTING", "STARTED", "STOPPING",  "STOPPED",  "PAUSING",
                                                   "PAUSED",   "FAILED",  "COMPLETED", "ABANDONED"};

using enum BatchStatus;
using enum Subject;

constexpr std::array table = {
    StatusTransition{job_execution, starting, started, "claimed by its owner"},
    StatusTransition{job_execution, starting, stopping, "stop asked, owned"},
    StatusTransition{job_execution, starting, stopped, "stop asked, unowned"},
    StatusTransition{job_execution, starting, pausing, "pause asked, owned"},
    StatusTransition{job_execution, starting, paused, "pause asked, unowned"},
    StatusTransition{job_execution, starting, failed, "cannot be assembled, or its owner is lost"},
    StatusTransition{job_execution, started, starting, "its owner hands it on, or is lost"},
    StatusTransition{job_execution, started, stopping, "stop asked"},
    StatusTransition{job_execution, started, pausing, "a pause is asked for"},
    StatusTransition{job_execution, started, paused, "its only step rests, and the pause is open"},
    StatusTransition{job_execution, started, stopped, "a stop element matched"},
    StatusTransition{job_execution, started, failed, "failure, or its owner is lost"},
    StatusTransition{job_execution, started, completed, "nothing left to enter"},
    StatusTransition{job_execution, stopping, stopped, "the work has stopped"},
    StatusTransition{job_execution, stopping, failed, "failure after the stop, or its owner is lost"},
    StatusTransition{job_execution, stopping, completed, "nothing was left to stop"},
    StatusTransition{job_execution, pausing, paused, "everything rests and a pause is open"},
    StatusTransition{job_execution, pausing, started, "no pause is open any more"},
    StatusTransition{job_execution, pausing, starting, "the same, and its owner hands it on, or is lost"},
    StatusTransition{job_execution, pausing, stopping, "stop asked"},
    StatusTransition{job_execution, pausing, stopped, "a stop element matched"},
    StatusTransition{job_execution, pausing, failed, "failure, or its owner is lost"},
    StatusTransition{job_execution, pausing, completed, "nothing left to enter"},
    StatusTransition{job_execution, paused, starting, "all its pauses are complete: it waits for an owner"},
    StatusTransition{job_execution, paused, started, "resumed by its new owner"},
    StatusTransition{job_execution, paused, stopped, "stop asked, or a pause's time is up"},
    StatusTransition{job_execution, paused, failed, "a pause's time is up"},
    StatusTransition{job_execution, paused, abandoned, "abandon"},
    StatusTransition{job_execution, stopped, abandoned, "abandon"},
    StatusTransition{job_execution, failed, abandoned, "abandon"},
    StatusTransition{job_execution, completed, abandoned, "abandon"},

    StatusTransition{step_execution, starting, started, "begins its work"},
    StatusTransition{step_execution, starting, stopped, "the job ends before the step began"},
    StatusTransition{step_execution, starting, failed, "cannot be opened, or its owner is lost"},
    StatusTransition{step_execution, started, stopped, "stopped at a checkpoint"},
    StatusTransition{step_execution, started, failed, "failure, or its owner is lost"},
    StatusTransition{step_execution, started, completed, "its work is done"},
    StatusTransition{step_execution, started, paused, "rests at a checkpoint"},
    StatusTransition{step_execution, paused, started, "entered again"},
    StatusTransition{step_execution, paused, stopped, "the job ends while it rests"},
    StatusTransition{step_execution, paused, failed, "the job ends while it rests"},

    StatusTransition{partition_execution, starting, started, "a thread takes it"},
    StatusTransition{partition_execution, starting, stopped, "the step ends before it began"},
    StatusTransition{partition_execution, started, starting, "its owner is lost: another one goes on"},
    StatusTransition{partition_execution, started, stopped, "stopped at a checkpoint"},
    StatusTransition{partition_execution, started, failed, "failure, or its owner is lost"},
    StatusTransition{partition_execution, started, completed, "its work is done"},
    StatusTransition{partition_execution, started, paused, "rests at a checkpoint"},
    StatusTransition{partition_execution, paused, started, "entered again"},
    StatusTransition{partition_execution, paused, stopped, "the job ends while it rests"},
    StatusTransition{partition_execution, paused, failed, "the job ends while it rests"},
};

bool equal_ignoring_case(std::string_view text, std::string_view upper) {
    return std::ranges::equal(text, upper,
                              [](unsigned char a, unsigned char b) { return std::toupper(a) == static_cast<int>(b); });
}

}  // namespace

std::string_view to_string(BatchStatus status) { return names.at(static_cast<std::size_t>(status)); }

std::optional<BatchStatus> parse_batch_status(std::string_view text) {
    const auto* found = std::ranges::find_if(names, [&](auto name) { return equal_ignoring_case(text, name); });
    if (found == names.end()) return std::nullopt;
    return static_cast<BatchStatus>(found - names.begin());
}

std::span<const StatusTransition> transitions() { return table; }

bool is_legal(Subject subject, BatchStatus from, BatchStatus to) {
    return std::ranges::any_of(
        table, [&](const StatusTransition& t) { return t.subject == subject && t.from == from && t.to == to; });
}

}  // namespace fermata
