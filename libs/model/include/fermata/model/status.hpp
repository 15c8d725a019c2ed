#pragma once
// Statuses and the one table of legal changes (design: "Statuses"). The C++ verbs, the database's constraint triggers
// and docs/statuses.md are all made from `transitions()`.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fermata {

/// Jakarta Batch §10.9.8 without UNKNOWN-like states: after a lost commit the row is read again under its lock. And two
/// of ours: PAUSING, asked to rest; PAUSED, a row that waits and that nobody owns.
enum class BatchStatus : std::uint8_t {
    starting,
    started,
    stopping,
    stopped,
    pausing,
    paused,
    failed,
    completed,
    abandoned
};

[[nodiscard]] std::string_view to_string(BatchStatus status);                        ///< "STARTED"
[[nodiscard]] std::optional<BatchStatus> parse_batch_status(std::string_view text);  ///< any case
/// STARTING, STARTED, STOPPING, PAUSING: a live owner holds it, or will.
[[nodiscard]] constexpr bool is_running(BatchStatus status) {
    return status == BatchStatus::starting || status == BatchStatus::started || status == BatchStatus::stopping ||
           status == BatchStatus::pausing;
}
/// It will not go on: neither running nor PAUSED.
[[nodiscard]] constexpr bool has_ended(BatchStatus status) {
    return !is_running(status) && status != BatchStatus::paused;
}
[[nodiscard]] constexpr bool is_restartable(BatchStatus status) {
    return status == BatchStatus::stopped || status == BatchStatus::failed;
}

enum class Subject : std::uint8_t { job_execution, step_execution, partition_execution };
struct StatusTransition {
    Subject subject;
    BatchStatus from;
    BatchStatus to;
    std::string_view event;
};
[[nodiscard]] std::span<const StatusTransition> transitions();
[[nodiscard]] bool is_legal(Subject subject, BatchStatus from, BatchStatus to);

}  // namespace fermata
