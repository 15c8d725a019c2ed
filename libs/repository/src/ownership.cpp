#include "ownership.hpp"

#include "impl.hpp"
#include "journal.hpp"
#include "pauses.hpp"
#include "ring.hpp"
#include "step_state.hpp"

namespace fermata {

std::optional<WorkerRecord> read_worker(RowReader& row) {
    const auto id = row.optional_integer();
    if (!id) return std::nullopt;
    WorkerRecord worker{.id = *id};
    worker.incarnation = row.text();
    worker.process.pid = row.integer();
    worker.process.start_ticks = row.integer();
    worker.host = row.text();
    worker.boot_id = row.text();
    worker.user = row.text();
    worker.owner_file.device = static_cast<std::uint64_t>(row.integer());
    worker.owner_file.inode = static_cast<std::uint64_t>(row.integer());
    worker.started = row.time();
    worker.name = row.text();
    worker.declared_dead = row.flag();
    return worker;
}

namespace {

Value owner_cell(const Standing& standing) { return standing.owner ? Value(standing.owner->id) : Value(0); }

}  // namespace

Standing standing_of(sql::Connection& connection, JobExecutionId execution) {
    static const std::string sql = fmt::format(
        "SELECT e.instance_id, e.status, e.epoch, e.stop_requested_at, e.stop_now, e.pauses, e.passed, e.rests, "
        "CASE WHEN e.started IS NULL THEN 0 ELSE 1 END, e.accept_sink, e.accept_input, "
        "(SELECT MAX(n.id) FROM job_execution n WHERE n.instance_id = e.instance_id), {} "
        "FROM job_execution e LEFT JOIN worker w ON w.id = e.owner WHERE e.id = $1",
        worker_columns);
    const sql::Result found = connection.execute(sql, {Value(execution.value())});
    if (found.empty()) throw no_such_execution(execution);
    RowReader row(found[0]);
    Standing standing{.execution = execution};
    standing.instance = JobInstanceId(row.integer());
    standing.status = row.status();
    standing.epoch = row.integer();
    standing.stop_requested_at = row.optional_time();
    standing.stop_now = row.flag();
    standing.pauses = row.integer();
    standing.passed = row.integer();
    standing.rests = row.integer();
    standing.was_started = row.flag();
    standing.accept_sink = row.flag();
    standing.accept_input = row.flag();
    standing.latest = JobExecutionId(row.integer());
    standing.owner = read_worker(row);
    return standing;
}

Standing locked_standing_of(StoreWrite& write, JobExecutionId execution) {
    write.lock("job_execution", execution.value());
    return standing_of(*write, execution);
}

LivenessEvidence owner_evidence(const Standing& standing, const std::filesystem::path& data_folder) {
    if (!standing.owner) return {Liveness::dead, "nobody owns it"};
    return liveness_of(*standing.owner, data_folder);
}

sql::Command claim_worker(const WorkerRecord& worker) {
    return {
        "INSERT INTO worker (id, incarnation, pid, start_ticks, host, boot_id, user_name, device, inode, started, "
        "name) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
        "ON CONFLICT (id) DO UPDATE SET pid = excluded.pid WHERE worker.incarnation = excluded.incarnation",
        {Value(worker.id), cell(worker.incarnation), Value(worker.process.pid), Value(worker.process.start_ticks),
         cell(worker.host), cell(worker.boot_id), cell(worker.user),
         Value(static_cast<std::int64_t>(worker.owner_file.device)),
         Value(static_cast<std::int64_t>(worker.owner_file.inode)), cell(worker.started), cell(worker.name)},
        1};
}

// Against deletion only: a heartbeat must not wait for a claim, nor for the disk that it is written to.
std::string lock_worker_sql(const sql::Dialect& dialect) {
    return fmt::format("SELECT 1 FROM worker WHERE id = $1 AND dead = 0{}",
                       dialect.for_update.empty() ? "" : " FOR KEY SHARE");
}

Error taken_for_dead(const Worker& worker) {
    return Error(ErrorKind::stale, fmt::format("worker {} was taken for dead", worker.record().incarnation),
                 "start it again: a new process is a new worker");
}

void require_locked(const sql::Result& row, const Worker& worker) {
    if (row.empty()) throw taken_for_dead(worker);
}

void lock_worker(StoreWrite& write, const Worker& worker) {
    const std::string sql = lock_worker_sql(write.dialect());
    require_locked(write->execute(sql, {Value(worker.record().id)}), worker);
}

void count_deaths(sql::Connection& connection, const Standing& standing, Partitions which, Timestamp now) {
    static const std::string count = fmt::format(
        "UPDATE step_progress SET epoch = epoch + 1, updated = $2, {} WHERE instance_id = $1 AND status = 'STARTED'",
        one_death_more);
    static const std::string of_owner =
        count +
        " AND NOT EXISTS (SELECT 1 FROM partition_execution x WHERE x.step_execution_id = "
        "step_progress.last_execution AND x.partition = step_progress.partition - 1 AND x.owner <> $3)";
    if (which == Partitions::all)
        connection.execute(count, {Value(standing.instance.value()), cell(now)});
    else
        connection.execute(of_owner, {Value(standing.instance.value()), cell(now), owner_cell(standing)});
}

void release_partitions_of_owner(sql::Connection& connection, const Standing& standing) {
    const sql::Result released = connection.execute(
        "UPDATE partition_execution SET status = 'STARTING', owner = NULL, offered = 1 WHERE owner = $2 AND "
        "step_execution_id IN (SELECT s.id FROM step_execution s WHERE s.execution_id = $1 AND s.ended IS NULL)",
        {Value(standing.execution.value()), owner_cell(standing)});
    if (released.changed == 0) return;
    connection.execute(
        "UPDATE step_progress SET status = 'STARTING' WHERE instance_id = $1 AND status = 'STARTED' AND EXISTS (SELECT "
        "1 FROM partition_execution x WHERE x.step_execution_id = step_progress.last_execution AND x.partition = "
        "step_progress.partition - 1 AND x.status = 'STARTING')",
        {Value(standing.instance.value())});
}

// A partitioned step counts what its partitions counted, and these end with it. One that its owner has lost is STARTING
// again, with what it has counted.
void end_unfinished_partitions(sql::Connection& connection, JobExecutionId execution, JobInstanceId instance,
                               BatchStatus status, Timestamp now) {
    connection.execute(
        "UPDATE partition_execution SET status = CASE WHEN partition_execution.status = 'STARTING' THEN 'STOPPED' ELSE "
        "$3 END, exit_status = COALESCE(p.set_exit_status, $3), ended = $4, owner = NULL, offered = 0, "
        "read = p.read, written = p.written, filtered = p.filtered, read_skips = p.read_skips, "
        "process_skips = p.process_skips, write_skips = p.write_skips, commits = p.commits, rollbacks = p.rollbacks "
        "FROM step_progress p, step_execution s WHERE s.execution_id = $1 AND s.ended IS NULL AND "
        "partition_execution.step_execution_id = s.id AND (partition_execution.status IN ('STARTED', 'PAUSED') OR "
        "(partition_execution.status = 'STARTING' AND partition_execution.ran_by IS NOT NULL)) AND "
        "p.instance_id = $2 AND p.step = s.step AND p.partition = partition_execution.partition + 1",
        {Value(execution.value()), Value(instance.value()), cell(to_string(status)), cell(now)});
    connection.execute(
        "UPDATE partition_execution SET status = 'STOPPED', ended = $2, offered = 0 WHERE status = 'STARTING' AND "
        "step_execution_id IN (SELECT s.id FROM step_execution s WHERE s.execution_id = $1 AND s.ended IS NULL)",
        {Value(execution.value()), cell(now)});
    connection.execute(
        fmt::format("UPDATE step_progress SET {} WHERE instance_id = $1 AND partition = 0 AND status IN ('STARTED', "
                    "'PAUSED') AND "
                    "last_execution IN (SELECT s.id FROM step_execution s WHERE s.execution_id = $2 AND "
                    "s.partitions IS NOT NULL)",
                    sum_of_partitions("step_progress.last_execution")),
        {Value(instance.value()), Value(execution.value())});
}

// The live counters of a running step are in step_progress only.
std::array<sql::Command, 2> ends_of_unfinished_steps(JobExecutionId execution, JobInstanceId instance,
                                                     BatchStatus status, Timestamp now) {
    const Value end = cell(to_string(status));
    return {
        {{"UPDATE step_execution SET status = $3, exit_status = COALESCE(p.set_exit_status, $3), ended = $4, "
          "updated = $4, read = p.read, written = p.written, filtered = p.filtered, read_skips = p.read_skips, "
          "process_skips = p.process_skips, write_skips = p.write_skips, commits = p.commits, rollbacks = p.rollbacks, "
          "user_data = p.user_data FROM step_progress p WHERE step_execution.execution_id = $1 AND "
          "step_execution.ended IS NULL AND p.instance_id = $2 AND p.step = step_execution.step AND "
          "p.partition = 0 AND p.last_execution = step_execution.id",
          {Value(execution.value()), Value(instance.value()), end, cell(now)}},
         {"UPDATE step_progress SET status = $2, exit_status = COALESCE(set_exit_status, $2), pause_request = NULL "
          "WHERE instance_id = $1 AND status IN ('STARTED', 'PAUSED')",
          {Value(instance.value()), end}}}};
}

void end_unfinished_steps(sql::Connection& connection, JobExecutionId execution, JobInstanceId instance,
                          BatchStatus status, Timestamp now) {
    connection.execute_all(ends_of_unfinished_steps(execution, instance, status, now));
}

BatchStatus end_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor) {
    const BatchStatus end = standing.status == BatchStatus::stopping ? BatchStatus::stopped : BatchStatus::failed;
    const std::string_view status = to_string(end);
    count_deaths(*write, standing, Partitions::all, write.now());
    end_unfinished_partitions(*write, standing.execution, standing.instance, end, write.now());
    end_unfinished_steps(*write, standing.execution, standing.instance, end, write.now());
    complete_pauses(write, standing.execution, {}, "ended", actor);
    forget_worker(write, standing);
    const bool failed = end == BatchStatus::failed;
    const std::string message = "its owner died: " + evidence;
    write->execute(sql::Command{
        "UPDATE job_execution SET status = $3, exit_status = COALESCE(exit_status, $3), ended = $4, updated = $4, "
        "owner = NULL, epoch = epoch + 1, error_class = $5, error_message = $6 WHERE id = $1 AND epoch = $2",
        {Value(standing.execution.value()), Value(standing.epoch), Value(status), cell(write.now()),
         failed ? Value("fermata.OwnerLost") : Value(), failed ? cell(message) : Value()},
        1});
    const Event event{.at = write.now(),
                      .execution = standing.execution,
                      .kind = "execution.lost",
                      .actor = actor,
                      .data = facts({{"status", status}, {"evidence", std::string_view(evidence)}})};
    write->execute(journal(event));
    ring_end(write);
    return end;
}

namespace {

// Deletes its row if it has nothing else. Locked first, where writers run beside each other: of two that end the last
// two executions of one worker at once, the second sees what the first did; and one that gives the worker something new
// waits, or is waited for.
std::vector<sql::Command> forgetting(const sql::Dialect& dialect, std::int64_t worker, JobExecutionId ending,
                                     std::string_view lock_it, std::string_view delete_it) {
    std::vector<sql::Command> commands;
    if (!dialect.for_update.empty()) commands.push_back({lock_it, {Value(worker)}});
    commands.push_back({delete_it, {Value(worker), Value(ending.value())}});
    return commands;
}

std::string delete_row(std::string_view only_if) {
    return fmt::format(
        "DELETE FROM worker WHERE id = $1{} AND NOT EXISTS "
        "(SELECT 1 FROM job_execution e WHERE e.owner = $1 AND e.id <> $2) AND NOT EXISTS "
        "(SELECT 1 FROM partition_execution x WHERE x.owner = $1)",
        only_if);
}

}  // namespace

void forget_worker(StoreWrite& write, Standing& ending) {
    if (!ending.owner) return;
    static const std::string delete_it = delete_row("");
    const auto commands = forgetting(write.dialect(), ending.owner->id, ending.execution,
                                     "SELECT id FROM worker WHERE id = $1 FOR UPDATE", delete_it);
    ending.owner_forgotten = write->execute_all(commands).back().changed == 1;
}

// The ends of what one worker runs do not wait for each other. If it retires at this very instant its row may stay:
// until somebody forgets the dead.
std::vector<sql::Command> forgetting(const sql::Dialect& dialect, std::int64_t worker, JobExecutionId ending) {
    static const std::string delete_idle = delete_row(" AND slots = 0");
    return forgetting(dialect, worker, ending, "SELECT id FROM worker WHERE id = $1 AND slots = 0 FOR UPDATE",
                      delete_idle);
}

void forget_worker(StoreWrite& write, std::int64_t worker, JobExecutionId ending) {
    write->execute_all(forgetting(write.dialect(), worker, ending));
}

void remove_owner_file(const WorkerRecord& worker, const std::filesystem::path& data_folder) {
    std::error_code ignored;
    std::filesystem::remove(data_folder / "owners" / worker.incarnation, ignored);
}

void remove_owner_file(const Standing& standing, const std::filesystem::path& data_folder) {
    if (standing.owner_forgotten) remove_owner_file(*standing.owner, data_folder);
}

}  // namespace fermata
