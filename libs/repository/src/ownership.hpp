#pragma once
// What the verbs that give and take ownership share. All of it runs inside the caller's transaction.
#include "rows.hpp"
#include "store.hpp"

#include <fermata/repository/repository.hpp>

#include <array>

namespace fermata {

/// A job execution as a verb finds it.
struct Standing {
    JobExecutionId execution;
    JobInstanceId instance;
    BatchStatus status{};
    std::int64_t epoch = 0;
    std::optional<Timestamp> stop_requested_at;
    bool stop_now = false;
    std::int64_t pauses = 0;   ///< the newest pause epoch
    std::int64_t passed = 0;   ///< the newest one beyond which it went on
    std::int64_t rests = 0;    ///< how often it came to rest with its owner alive
    bool was_started = false;  ///< somebody has owned it
    bool accept_sink = false;
    bool accept_input = false;
    JobExecutionId latest;  ///< of the instance
    std::optional<WorkerRecord> owner;
    bool owner_forgotten = false;  ///< its row went with this execution
};
/// Throws Error(not_found).
[[nodiscard]] Standing standing_of(sql::Connection& connection, JobExecutionId execution);
/// The same, locked: it stays so until the transaction ends.
[[nodiscard]] Standing locked_standing_of(StoreWrite& write, JobExecutionId execution);
/// Of a running execution; one without an owner is nobody's.
[[nodiscard]] LivenessEvidence owner_evidence(const Standing& standing, const std::filesystem::path& data_folder);

inline constexpr std::string_view worker_columns =
    "w.id, w.incarnation, w.pid, w.start_ticks, w.host, w.boot_id, w.user_name, w.device, w.inode, w.started, "
    "w.name, w.dead";
/// Reads `worker_columns`; nothing if they are null (LEFT JOIN).
[[nodiscard]] std::optional<WorkerRecord> read_worker(RowReader& row);

/// Writes the worker's row unless it is there, and locks it. The row of a worker that does not serve exists exactly
/// while it owns something: who ends or takes over its last execution deletes it, so rows of dead workers do not pile
/// up.
[[nodiscard]] sql::Command claim_worker(const WorkerRecord& worker);

/// Locks the row of a worker that was enlisted: whoever forgets it waits, or was first, and then Error(stale) is
/// thrown, as it is if it was declared dead before.
void lock_worker(StoreWrite& write, const Worker& worker);
/// The same in two parts, for one round trip with something else: the statement, whose $1 is the worker's id, and its
/// answer.
[[nodiscard]] std::string lock_worker_sql(const sql::Dialect& dialect);
void require_locked(const sql::Result& row, const Worker& worker);
[[nodiscard]] Error taken_for_dead(const Worker& worker);

/// Ends an execution whose owner is proved dead: FAILED, or STOPPED if it was STOPPING, with everything unfinished
/// below it; raises the epochs, so that the owner could not go on if the proof were wrong. Answers the new status.
BatchStatus end_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor);
/// Whose partitions a verb is about, where workers claim them.
enum class Partitions : std::uint8_t {
    of_owner,  ///< of the execution's owner; others go on with theirs
    all,       ///< nobody goes on
};
/// Raises the epochs of the execution's unfinished steps and counts the death of their owner.
void count_deaths(sql::Connection& connection, const Standing& standing, Partitions which, Timestamp now);
/// Partitions of the execution that its lost owner had claimed are open to others. After count_deaths.
void release_partitions_of_owner(sql::Connection& connection, const Standing& standing);
/// The partitions of unfinished steps end, and the steps get their sums; to be called before end_unfinished_steps.
void end_unfinished_partitions(sql::Connection& connection, JobExecutionId execution, JobInstanceId instance,
                               BatchStatus status, Timestamp now);
/// What the end of an execution leaves unfinished below it ends with it, with the counters as committed.
void end_unfinished_steps(sql::Connection& connection, JobExecutionId execution, JobInstanceId instance,
                          BatchStatus status, Timestamp now);
/// The same statements, for whoever has others to send with them.
[[nodiscard]] std::array<sql::Command, 2> ends_of_unfinished_steps(JobExecutionId execution, JobInstanceId instance,
                                                                   BatchStatus status, Timestamp now);
/// Deletes the dead owner's row if it owns no other execution than `ending`. REQUIRES: that one is locked.
void forget_worker(StoreWrite& write, Standing& ending);
/// The same of an owner that lives: one that serves stays.
void forget_worker(StoreWrite& write, std::int64_t worker, JobExecutionId ending);
[[nodiscard]] std::vector<sql::Command> forgetting(const sql::Dialect& dialect, std::int64_t worker,
                                                   JobExecutionId ending);
/// Removes the file of a dead owner that was forgotten. After the commit only: until then the file is the proof.
void remove_owner_file(const Standing& standing, const std::filesystem::path& data_folder);
void remove_owner_file(const WorkerRecord& worker, const std::filesystem::path& data_folder);

}  // namespace fermata
