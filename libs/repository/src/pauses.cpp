#include "pauses.hpp"

#include "journal.hpp"
#include "ring.hpp"

#include <fmt/format.h>

namespace fermata {
namespace {

// Nothing if the execution is STOPPING.
std::optional<std::int64_t> next_epoch(sql::Connection& connection, JobExecutionId execution) {
    const sql::Result row = connection.execute(
        "SELECT pauses + 1 FROM job_execution WHERE id = $1 AND status <> 'STOPPING'", {Value(execution.value())});
    if (row.empty()) return std::nullopt;
    return row[0][0].integer();
}

// While it is open the execution is PAUSING; `now`: chunk steps rest, too.
void note_open_pause(StoreWrite& write, JobExecutionId execution, std::int64_t epoch, bool now) {
    write->execute(
        sql::Command{"UPDATE job_execution SET pauses = $2, status = 'PAUSING', updated = $3, "
                     "pause_now = CASE WHEN $4 = 1 THEN 1 ELSE pause_now END WHERE id = $1",
                     {Value(execution.value()), Value(epoch), cell(write.now()), flag_cell(now)},
                     1});
}

// As many as the pause needs; the others wait for the next one at this point. Asked first, since most pauses find none,
// and an UPDATE that has a query costs as much as all the rest of their row.
std::int64_t take_buffered(sql::Connection& connection, JobExecutionId execution, std::int64_t epoch,
                           const PauseRequest& what) {
    constexpr std::string_view any =
        "SELECT 1 FROM signal WHERE execution_id = $1 AND point = $2 AND answer = 'buffered' AND pause IS NULL LIMIT 1";
    if (connection.execute(any, {Value(execution.value()), cell(what.point)}).empty()) return 0;
    return connection
        .execute(
            "UPDATE signal SET pause = $2 WHERE id IN (SELECT b.id FROM signal b WHERE b.execution_id = $1 AND "
            "b.point = $3 AND b.answer = 'buffered' AND b.pause IS NULL ORDER BY b.id LIMIT $4)",
            {Value(execution.value()), Value(epoch), cell(what.point), Value(what.signals)})
        .changed;
}

void insert_row(StoreWrite& write, JobExecutionId execution, const PauseEntry& entry, std::int64_t epoch,
                std::int64_t counted) {
    const PauseRequest& what = entry.what;
    const bool complete = counted >= what.signals;
    const Value timeout = what.timeout ? Value(what.timeout->count()) : Value();
    const Value deadline = what.timeout ? cell(write.now() + *what.timeout) : Value();
    write->execute(
        "INSERT INTO pause (execution_id, epoch, kind, point, message, element, partition, opened, opened_by, signals, "
        "counted, timeout, deadline, on_timeout, notify, completed, completed_by, how) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18)",
        {Value(execution.value()), Value(epoch), cell(to_string(entry.kind)), cell(what.point), cell(what.message),
         cell(entry.element), entry.partition ? Value(*entry.partition) : Value(), cell(write.now()),
         cell(entry.opened_by), Value(what.signals), Value(counted), timeout, deadline,
         cell(to_string(what.on_timeout)), cell(what.notify), complete ? cell(write.now()) : Value(),
         complete ? Value(std::string_view("signals sent before")) : Value(),
         complete ? Value(std::string_view("signals")) : Value()});
}

}  // namespace

Event opened_event(JobExecutionId execution, const PauseEntry& entry, std::int64_t epoch, Timestamp now) {
    return {.at = now,
            .execution = execution,
            .kind = "pause.opened",
            .actor = std::string(entry.opened_by),
            .data = facts({{"pause", epoch},
                           {"point", std::string_view(entry.what.point)},
                           {"kind", to_string(entry.kind)},
                           {"element", entry.element},
                           {"message", std::string_view(entry.what.message)}})};
}

PauseOpened open_pause(StoreWrite& write, JobExecutionId execution, const PauseEntry& entry) {
    const auto epoch = next_epoch(*write, execution);
    if (!epoch) return {};
    write->execute(journal(opened_event(execution, entry, *epoch, write.now())));
    const PauseOpened opened = insert_pause(write, execution, entry, *epoch);
    if (opened.open)
        note_open_pause(write, execution, *epoch, entry.now);
    else
        write->execute(note_pause(execution, *epoch));
    return opened;
}

sql::Command note_pause(JobExecutionId execution, std::int64_t epoch) {
    return {"UPDATE job_execution SET pauses = $2 WHERE id = $1", {Value(execution.value()), Value(epoch)}, 1};
}

PauseOpened insert_pause(StoreWrite& write, JobExecutionId execution, const PauseEntry& entry, std::int64_t epoch) {
    const std::int64_t counted = take_buffered(*write, execution, epoch, entry.what);
    insert_row(write, execution, entry, epoch, counted);
    return {epoch, counted < entry.what.signals};
}

std::vector<CompletedPause> complete_pauses(StoreWrite& write, JobExecutionId execution,
                                            const std::optional<std::string>& point, std::string_view how,
                                            const std::string& by) {
    const Value id(execution.value());
    const Value only = point ? cell(*point) : Value(std::string_view());
    const sql::Command commands[] = {
        {"SELECT epoch, point FROM pause WHERE execution_id = $1 AND completed IS NULL AND ($2 = '' OR point = $2) "
         "ORDER BY epoch",
         {id, only}},
        {"UPDATE pause SET completed = $2, completed_by = $3, how = $4 WHERE execution_id = $1 AND completed IS NULL "
         "AND ($5 = '' OR point = $5)",
         {id, cell(write.now()), cell(by), Value(how), only}}};
    const sql::Result rows = std::move(write->execute_all(commands).front());
    std::vector<CompletedPause> completed;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const std::int64_t epoch = row.integer();
        completed.push_back({epoch, row.text()});
    }
    return completed;
}

bool has_open_pauses(sql::Connection& connection, JobExecutionId execution) {
    return !connection
                .execute("SELECT 1 FROM pause WHERE execution_id = $1 AND completed IS NULL LIMIT 1",
                         {Value(execution.value())})
                .empty();
}

void release(StoreWrite& write, JobExecutionId execution, BatchStatus from) {
    static const std::string beyond = fmt::format(
        "UPDATE job_execution SET status = 'STARTING', owner = NULL, updated = $2, {} WHERE id = $1", going_on);
    constexpr std::string_view as_it_is =
        "UPDATE job_execution SET status = 'STARTING', owner = NULL, updated = $2 WHERE id = $1";
    write->execute(from == BatchStatus::started ? as_it_is : std::string_view(beyond),
                   {Value(execution.value()), cell(write.now())});
    const Event released{.at = write.now(),
                         .execution = execution,
                         .kind = "execution.released",
                         .actor = std::string(runtime_actor),
                         .data = "{}"};
    write->execute(journal(released));
    ring_workers(write);
}

// Progress first, as whoever commits locks it.
void pause_unfinished(StoreWrite& write, JobExecutionId execution, JobInstanceId instance, Partitions which) {
    constexpr std::string_view nobody_elses =
        " AND NOT EXISTS (SELECT 1 FROM partition_execution x WHERE x.step_execution_id = step_progress.last_execution "
        "AND x.partition = step_progress.partition - 1 AND x.owner IS NOT NULL)";
    const bool all = which == Partitions::all;
    write->execute(fmt::format("UPDATE step_progress SET status = 'PAUSED', epoch = CASE WHEN partition > 0 THEN epoch "
                               "+ 1 ELSE epoch END WHERE instance_id = $1 AND status = 'STARTED'{}",
                               all ? "" : nobody_elses),
                   {Value(instance.value())});
    write->execute(
        fmt::format("UPDATE partition_execution SET status = 'PAUSED', offered = CASE WHEN owner IS NULL THEN 0 ELSE 1 "
                    "END, owner = NULL WHERE status = 'STARTED'{} AND step_execution_id IN (SELECT s.id FROM "
                    "step_execution s WHERE s.execution_id = $1 AND s.ended IS NULL)",
                    all ? "" : " AND owner IS NULL"),
        {Value(execution.value())});
    write->execute(
        "UPDATE step_execution SET status = 'PAUSED', updated = $2 WHERE execution_id = $1 AND status = 'STARTED'",
        {Value(execution.value()), cell(write.now())});
}

BatchStatus settle_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor) {
    const bool waits = has_open_pauses(*write, standing.execution);
    count_deaths(*write, standing, Partitions::of_owner, write.now());
    release_partitions_of_owner(*write, standing);
    pause_unfinished(write, standing.execution, standing.instance, waits ? Partitions::all : Partitions::of_owner);
    forget_worker(write, standing);
    const Event lost{.at = write.now(),
                     .execution = standing.execution,
                     .kind = waits ? "execution.paused" : "execution.orphaned",
                     .actor = actor,
                     .data = facts({{"evidence", std::string_view(evidence)}})};
    write->execute(journal(lost));
    write->execute(sql::Command{
        "UPDATE job_execution SET epoch = epoch + 1, owner = NULL, updated = $3 WHERE id = $1 AND epoch = $2",
        {Value(standing.execution.value()), Value(standing.epoch), cell(write.now())},
        1});
    ++standing.epoch;
    standing.owner.reset();
    if (!waits) {
        release(write, standing.execution, standing.status);
        return standing.status = BatchStatus::starting;
    }
    write->execute("UPDATE job_execution SET status = 'PAUSED', pause_now = 0 WHERE id = $1",
                   {Value(standing.execution.value())});
    ring_end(write);
    return standing.status = BatchStatus::paused;
}

BatchStatus let_go_lost(StoreWrite& write, Standing& standing, const std::string& evidence, const std::string& actor) {
    return standing.status == BatchStatus::stopping ? end_lost(write, standing, evidence, actor)
                                                    : settle_lost(write, standing, evidence, actor);
}

void end_waiting(StoreWrite& write, const Standing& standing, BatchStatus status, const std::string& actor,
                 const std::optional<Failure>& failure) {
    const BatchStatus below = status == BatchStatus::failed ? BatchStatus::failed : BatchStatus::stopped;
    write->execute(
        "UPDATE step_progress SET epoch = epoch + 1 WHERE instance_id = $1 AND status IN ('STARTED', 'PAUSED')",
        {Value(standing.instance.value())});
    end_unfinished_partitions(*write, standing.execution, standing.instance, below, write.now());
    end_unfinished_steps(*write, standing.execution, standing.instance, below, write.now());
    complete_pauses(write, standing.execution, {}, "ended", actor);
    sql::Command ended{
        "UPDATE job_execution SET status = $3, exit_status = COALESCE(exit_status, $3), ended = $4, updated = $4, "
        "epoch = epoch + 1, error_class = $5, error_message = $6, error_step = $7, error_position = $8 "
        "WHERE id = $1 AND epoch = $2",
        {Value(standing.execution.value()), Value(standing.epoch), cell(to_string(status)), cell(write.now())},
        1};
    append_failure(ended.params, failure);
    write->execute(ended);
    const Event event{.at = write.now(),
                      .execution = standing.execution,
                      .kind = "execution.ended",
                      .actor = actor,
                      .data = facts({{"status", to_string(status)},
                                     {"error", failure ? Fact(std::string_view(failure->message)) : Fact()}})};
    write->execute(journal(event));
    ring_end(write);
}

Pause read_pause(RowReader& row) {
    Pause pause;
    pause.epoch = row.integer();
    pause.kind = parse_pause_kind(row.text()).value_or(PauseKind::outside);
    pause.what.point = row.text();
    pause.what.message = row.text();
    pause.what.signals = row.integer();
    if (const auto timeout = row.optional_integer()) pause.what.timeout = Duration(*timeout);
    pause.what.on_timeout = parse_on_timeout(row.text()).value_or(OnTimeout::fail);
    pause.what.notify = row.optional_text();
    pause.element = row.text();
    pause.partition = row.optional_integer();
    pause.opened = row.time();
    pause.opened_by = row.text();
    pause.counted = row.integer();
    pause.deadline = row.optional_time();
    pause.completed = row.optional_time();
    pause.completed_by = row.optional_text();
    pause.how = row.optional_text();
    pause.notified = row.optional_time();
    return pause;
}

}  // namespace fermata
