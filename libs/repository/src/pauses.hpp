#pragma once
// What the verbs about waiting share. All of it runs inside the caller's transaction, which holds the execution's row.
#include "ownership.hpp"

namespace fermata {

struct PauseEntry {
    PauseKind kind{};
    const PauseRequest& what;
    std::string_view element = {};
    std::optional<std::int64_t> partition = {};
    std::string_view opened_by;
    bool now = true;  ///< chunk steps rest, too
};
/// Enters a pause with the signals that came before. While it is open the execution is PAUSING; one that is STOPPING
/// has no more pauses.
PauseOpened open_pause(StoreWrite& write, JobExecutionId execution, const PauseEntry& entry);

/// Its row alone, for a verb that has read how many pauses there were, and that it is not STOPPING: what the
/// execution's row says of it, and the journal, are the verb's own.
PauseOpened insert_pause(StoreWrite& write, JobExecutionId execution, const PauseEntry& entry, std::int64_t epoch);
/// That it has had one more, which is not open.
[[nodiscard]] sql::Command note_pause(JobExecutionId execution, std::int64_t epoch);
[[nodiscard]] Event opened_event(JobExecutionId execution, const PauseEntry& entry, std::int64_t epoch, Timestamp now);

struct CompletedPause {
    std::int64_t epoch = 0;
    std::string point;
};
/// Completes what is open, or only what is open at `point`.
std::vector<CompletedPause> complete_pauses(StoreWrite& write, JobExecutionId execution,
                                            const std::optional<std::string>& point, std::string_view how,
                                            const std::string& by);
[[nodiscard]] bool has_open_pauses(sql::Connection& connection, JobExecutionId execution);

/// For an UPDATE of job_execution that leaves PAUSING or PAUSED to go on.
inline constexpr std::string_view going_on =
    "pause_now = 0, passed = pauses, outside_pause = COALESCE((SELECT MAX(p.epoch) FROM pause p WHERE "
    "p.execution_id = job_execution.id AND p.epoch > job_execution.passed AND p.kind = 'outside'), 0)";
/// -> STARTING, nobody's: rings for a worker. Out of PAUSED or PAUSING it passes its pauses.
void release(StoreWrite& write, JobExecutionId execution, BatchStatus from);

/// What nobody works on any more is PAUSED: all of it, or all but partitions that workers have claimed.
void pause_unfinished(StoreWrite& write, JobExecutionId execution, JobInstanceId instance, Partitions which);
/// Of a STARTED or PAUSING execution whose owner is gone: PAUSED as committed if a pause is open, else STARTING.
/// Answers the new status.
BatchStatus settle_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor);
/// The same of any that runs: one that is STOPPING ends.
BatchStatus let_go_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor);
/// Ends what is PAUSED, or waits for an owner, with everything below it.
void end_waiting(StoreWrite& write, const Standing& standing, BatchStatus status, const std::string& actor,
                 const std::optional<Failure>& failure = {});

/// Nobody owns it: all that it waited for has come.
[[nodiscard]] inline bool awaits_owner(const Standing& standing) {
    return standing.status == BatchStatus::starting && !standing.owner;
}

/// Columns of `pause` in the order of read_pause().
inline constexpr std::string_view pause_columns =
    "p.epoch, p.kind, p.point, p.message, p.signals, p.timeout, p.on_timeout, p.notify, p.element, p.partition, "
    "p.opened, p.opened_by, p.counted, p.deadline, p.completed, p.completed_by, p.how, p.notified";
[[nodiscard]] Pause read_pause(RowReader& row);

}  // namespace fermata
