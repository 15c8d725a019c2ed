// What the owner of an execution does to it: enter and end steps, follow the walk, end it.
#include "fence.hpp"
#include "journal.hpp"
#include "pauses.hpp"
#include "ring.hpp"
#include "step_entry.hpp"
#include "step_state.hpp"
#include "walk.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

StepExecutionId insert_step_execution(sql::Connection& connection, const Claim& claim, const std::string& step,
                                      Timestamp now) {
    const sql::Result inserted = connection.execute(
        "INSERT INTO step_execution (execution_id, step, status, started, updated) "
        "VALUES ($1, $2, 'STARTED', $3, $3) RETURNING id",
        {Value(claim.execution.value()), cell(step), cell(now)});
    return StepExecutionId(inserted[0][0].integer());
}

constexpr std::string_view from_the_beginning =
    "generation = step_progress.generation + 1, sequence = 0, reader = NULL, writer = NULL, side_outputs = NULL, "
    "replay_left = 0, user_data = NULL, exhausted = 0, publishing = 0, deaths = 0, death_sequence = 0, intent = NULL";

std::string enter_sql(std::string_view more) {
    return fmt::format(
        "INSERT INTO step_progress (instance_id, step, partition, status, starts, epoch, last_execution, updated, "
        "own_pause, outside_pause) "
        "VALUES ($1, $2, 0, 'STARTED', 1, 1, $3, $4, $5, $6) ON CONFLICT (instance_id, step, partition) DO UPDATE SET "
        "status = 'STARTED', exit_status = NULL, starts = step_progress.starts + 1, epoch = step_progress.epoch + 1, "
        "last_execution = excluded.last_execution, updated = excluded.updated, {}{}, own_pause = excluded.own_pause, "
        "outside_pause = excluded.outside_pause RETURNING {}, {}",
        fresh_counts, more, state_columns, progress_columns);
}

// 0 if the step was never entered.
std::int64_t epoch_of(sql::Connection& connection, JobInstanceId instance, const std::string& step) {
    const sql::Result row =
        connection.execute("SELECT epoch FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition = 0",
                           {Value(instance.value()), cell(step)});
    return row.empty() ? 0 : row[0][0].integer();
}

StepState enter_new(sql::Connection& connection, const Claim& claim, const std::string& step, StepEntryMode mode,
                    const SignalSource& signals, Timestamp now) {
    static const std::string start = enter_sql("");
    static const std::string again = enter_sql(fmt::format(", {}", from_the_beginning));
    const StepExecutionId id = insert_step_execution(connection, claim, step, now);
    return only_state(connection.execute(mode == StepEntryMode::again ? again : start,
                                         {Value(claim.instance.value()), cell(step), Value(id.value()), cell(now),
                                          Value(signals.own), Value(signals.outside)}));
}

void wake_step_execution(sql::Connection& connection, StepExecutionId step, Timestamp now) {
    connection.execute(
        sql::Command{"UPDATE step_execution SET status = 'STARTED', updated = $2 WHERE id = $1 AND status = 'PAUSED'",
                     {Value(step.value()), cell(now)},
                     1});
}

// The same StepExecution goes on: after its owner died, or after it was PAUSED. Not RETURNING, for which SQLite makes a
// table.
StepState enter_again(sql::Connection& connection, const Claim& claim, const std::string& step, StepEntryMode mode,
                      const SignalSource& signals, Timestamp now) {
    constexpr std::string_view enter =
        "UPDATE step_progress SET epoch = epoch + 1, updated = $4, status = 'STARTED', "
        "own_pause = CASE WHEN $6 > 0 THEN $6 ELSE own_pause END, "
        "outside_pause = CASE WHEN $7 > 0 THEN $7 ELSE outside_pause END WHERE instance_id = $1 AND step = $2 AND "
        "partition = 0 AND status = $5 AND EXISTS (SELECT 1 FROM step_execution s WHERE "
        "s.id = step_progress.last_execution AND s.execution_id = $3)";
    static const std::string look =
        fmt::format("SELECT {}, {} FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition = 0",
                    state_columns, progress_columns);
    const bool adopts = mode == StepEntryMode::adopt;
    const Value instance(claim.instance.value());
    const sql::Command commands[] = {
        {enter,
         {instance, cell(step), Value(claim.execution.value()), cell(now),
          Value(std::string_view(adopts ? "STARTED" : "PAUSED")), Value(signals.own), Value(signals.outside)}},
        {look, {instance, cell(step)}}};
    const std::vector<sql::Result> entered = connection.execute_all(commands);
    if (entered[0].changed == 0)
        throw Error(ErrorKind::conflict, fmt::format("step \"{}\" of execution {} is not {}, so it cannot be {}", step,
                                                     claim.execution.value(), adopts ? "running" : "PAUSED",
                                                     adopts ? "adopted" : "resumed"));
    StepState state = only_state(entered[1]);
    if (!adopts) wake_step_execution(connection, state.last_execution, now);
    return state;
}

std::string_view name_of(StepEntryMode mode) {
    switch (mode) {
        case StepEntryMode::start:
            return "start";
        case StepEntryMode::again:
            return "again";
        case StepEntryMode::adopt:
            return "adopt";
        case StepEntryMode::resume:
            return "resume";
    }
    return {};
}

sql::Command end_step_execution(const StepClaim& claim, const StepEnd& end, Timestamp now) {
    sql::Command command{
        "UPDATE step_execution SET status = $2, exit_status = $3, ended = $4, updated = $4, user_data = $5, "
        "error_class = $6, error_message = $7, error_step = $8, error_position = $9, read = $10, written = $11, "
        "filtered = $12, read_skips = $13, process_skips = $14, write_skips = $15, commits = $16, rollbacks = $17 "
        "WHERE id = $1 AND ended IS NULL",
        {Value(claim.id.value()), cell(to_string(end.status)), cell(end.exit_status), cell(now),
         bytes_cell(end.progress.user_data)},
        1};
    append_failure(command.params, end.failure);
    append_metrics(command.params, end.progress.metrics);
    return command;
}

sql::Command end_step_progress(const StepClaim& claim, const StepEnd& end, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, status = $24, exit_status = $25, updated = $26, deaths = 0, intent = NULL, "
        "pause_request = NULL "
        "WHERE instance_id = $21 AND step = $22 AND partition = 0 AND epoch = $23",
        progress_assignments());
    sql::Command command{sql, {}, 1};
    append_progress(command.params, end.progress);
    command.params.insert(command.params.end(),
                          {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.epoch),
                           cell(to_string(end.status)), cell(end.exit_status), cell(now)});
    return command;
}

// Those that were never entered, that rest, or that were lost. Nobody goes on with one of them.
void add_ends_of_partitions(std::vector<sql::Command>& last, const StepClaim& claim, bool cut, Timestamp now) {
    last.push_back(
        {"UPDATE step_progress SET epoch = epoch + 1, status = 'STOPPED' WHERE instance_id = $1 AND step = $2 AND "
         "partition > 0 AND status = 'STARTED' AND last_execution = $3",
         {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.id.value())}});
    last.push_back(
        {"UPDATE partition_execution SET read = p.read, written = p.written, filtered = p.filtered, read_skips = "
         "p.read_skips, process_skips = p.process_skips, write_skips = p.write_skips, commits = p.commits, rollbacks = "
         "p.rollbacks FROM step_progress p WHERE partition_execution.step_execution_id = $3 AND "
         "partition_execution.ended IS NULL AND partition_execution.started IS NOT NULL AND p.instance_id = $1 AND "
         "p.step = $2 AND p.partition = partition_execution.partition + 1",
         {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.id.value())}});
    last.push_back(
        {"UPDATE partition_execution SET status = 'STOPPED', exit_status = COALESCE($3, exit_status), ended = $2, "
         "owner = NULL, offered = 0 WHERE step_execution_id = $1 AND ended IS NULL",
         {Value(claim.id.value()), cell(now), cut ? Value(std::string_view("cut")) : Value()}});
}

// Who asked. An owner that died while it put the files of a cut step in place may have been marked FAILED: then it was
// asked of the StepExecution before.
std::string record_cut(StoreWrite& write, const StepClaim& claim, const CutShort& cut) {
    const sql::Result recorded = write->execute(sql::Command{
        "UPDATE step_execution SET cut_after = $2, cut_position = $3, cut_at = COALESCE(cut_at, $7), "
        "cut_by = COALESCE(cut_by, (SELECT x.cut_by FROM job_execution e JOIN step_execution x ON "
        "x.execution_id = e.id WHERE e.instance_id = $4 AND x.step = $5 AND x.cut_by IS NOT NULL "
        "ORDER BY x.id DESC LIMIT 1), $6) WHERE id = $1 RETURNING cut_by",
        {Value(claim.id.value()), Value(cut.after), cell(cut.position), Value(claim.execution.instance.value()),
         cell(claim.step), cell(runtime_actor), cell(write.now())},
        1});
    return std::string(recorded[0][0].text());
}

Event cut_event(const StepClaim& claim, const CutShort& cut, std::string by, Timestamp now) {
    return {.at = now,
            .execution = claim.execution.execution,
            .kind = "step.cut",
            .actor = std::move(by),
            .data = facts({{"step", std::string_view(claim.step)},
                           {"step_execution", claim.id.value()},
                           {"after", cut.after},
                           {"position", std::string_view(cut.position)}})};
}

// And fences.
sql::Command keep_job_exit_status(const Claim& claim, const StepEnd& end, Timestamp now) {
    if (!end.job_exit_status) return fence(claim, now);
    static const std::string sql =
        fmt::format("UPDATE job_execution SET updated = $3, exit_status = $4 WHERE {}", is_the_owners);
    return {sql, {Value(claim.execution.value()), Value(claim.epoch), cell(now), cell(end.job_exit_status)}, 1};
}

std::string step_end_facts(const StepClaim& claim, const StepEnd& end) {
    const Failure* failure = end.failure ? &*end.failure : nullptr;
    return facts({{"step", std::string_view(claim.step)},
                  {"step_execution", claim.id.value()},
                  {"status", to_string(end.status)},
                  {"exit_status", fact(end.exit_status)},
                  {"error", failure ? Fact(std::string_view(failure->message)) : Fact()}});
}

struct Ending {
    std::int64_t worker = 0;
    bool has_paused = false;  ///< it had pauses: some may be open
};

// Locks the execution for its owner.
Ending owner_row(StoreWrite& write, const Claim& claim) {
    const std::string sql =
        fmt::format("SELECT owner, pauses FROM job_execution WHERE {}{}", may_be_ended, write.dialect().for_update);
    const sql::Result row = write->execute(sql, {Value(claim.execution.value()), Value(claim.epoch)});
    if (row.empty()) throw sql::RowCountError("another owner has the execution, or it has ended");
    return {row[0][0].integer(), row[0][1].integer() > 0};
}

sql::Command end_job(const Claim& claim, const JobEnd& end, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE job_execution SET status = $3, exit_status = $4, ended = $5, updated = $5, restart_from = $6, "
        "owner = NULL, error_class = $7, error_message = $8, error_step = $9, error_position = $10 WHERE {}",
        may_be_ended);
    sql::Command command{sql,
                         {Value(claim.execution.value()), Value(claim.epoch), cell(to_string(end.status)),
                          cell(end.exit_status), cell(now), cell(end.restart_from)},
                         1};
    append_failure(command.params, end.failure);
    return command;
}

std::string job_end_facts(const JobEnd& end) {
    const Failure* failure = end.failure ? &*end.failure : nullptr;
    return facts({{"status", to_string(end.status)},
                  {"exit_status", fact(end.exit_status)},
                  {"restart_from", fact(end.restart_from)},
                  {"error", failure ? Fact(std::string_view(failure->message)) : Fact()}});
}

}  // namespace

StepEntry enter_step_of(StoreWrite& write, const Claim& claim, const std::string& step, StepEntryMode mode,
                        const SignalSource& signals) {
    const bool again = mode == StepEntryMode::adopt || mode == StepEntryMode::resume;
    StepState state = again ? enter_again(*write, claim, step, mode, signals, write.now())
                            : enter_new(*write, claim, step, mode, signals, write.now());
    const StepClaim entry{claim, state.last_execution, step, state.epoch};
    return {entry, std::move(state)};
}

Event entered_event(const StepEntry& entry, StepEntryMode mode, Timestamp now) {
    return {.at = now,
            .execution = entry.claim.execution.execution,
            .kind = "step.started",
            .actor = std::string(runtime_actor),
            .data = facts({{"step", std::string_view(entry.claim.step)},
                           {"step_execution", entry.claim.id.value()},
                           {"mode", name_of(mode)},
                           {"sequence", entry.state.progress.sequence}})};
}

std::map<std::string, StepState> Repository::steps_of_instance(JobInstanceId instance) {
    static const std::string sql = fmt::format(
        "SELECT {}, {} FROM step_progress WHERE instance_id = $1 AND partition = 0", state_columns, progress_columns);
    const sql::Result rows = impl_->select(sql, {Value(instance.value())});
    std::map<std::string, StepState> steps;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        StepState state = read_state(row);
        steps.emplace(state.name, std::move(state));
    }
    return steps;
}

StepEntry Repository::enter_step(const Claim& claim, const std::string& step, StepEntryMode mode,
                                 const SignalSource& signals) {
    StepEntry entry;
    const auto verb = [&](StoreWrite& write) {
        write->execute(fence(claim, write.now()));
        entry = enter_step_of(write, claim, step, mode, signals);
        const Event entered = entered_event(entry, mode, write.now());
        const sql::Command last[] = {journal(entered)};
        write.commit(last);
        FERMATA_POINT("step.entered");
    };
    as_owner(claim, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            look->execute(fence(claim, look.now()));
            return epoch_of(*look, claim.instance, step) == entry.claim.epoch;
        });
    });
    return entry;
}

ElementRecorded Repository::end_step(const StepClaim& claim, const StepEnd& end) {
    ElementRecorded recorded;
    const auto verb = [&](StoreWrite& write) {
        recorded = {};
        WalkEntry entry = end.walk;
        if (end.pause || end.cut) write->execute(fence(claim.execution, write.now()));
        Event cut;
        if (end.cut) cut = cut_event(claim, *end.cut, record_cut(write, claim, *end.cut), write.now());
        if (end.pause) {
            recorded.pause = open_pause(
                write, claim.execution.execution,
                {.kind = PauseKind::after, .what = *end.pause, .element = claim.step, .opened_by = runtime_actor});
            entry.pause = recorded.pause.epoch;
        }
        const Event ended{.at = write.now(),
                          .execution = claim.execution.execution,
                          .kind = "step.ended",
                          .actor = std::string(runtime_actor),
                          .data = step_end_facts(claim, end)};
        const WalkRow walk(claim.execution, entry);
        std::vector<sql::Command> last{keep_job_exit_status(claim.execution, end, write.now()),
                                       end_step_execution(claim, end, write.now()),
                                       end_step_progress(claim, end, write.now()), walk.insert(), journal(ended)};
        if (end.partitioned) add_ends_of_partitions(last, claim, end.cut.has_value(), write.now());
        if (end.cut) last.push_back(journal(cut));
        FERMATA_POINT("step.before-end");
        last.push_back(ask(claim.execution));
        recorded.requests = requests_in(write.commit(last).back());
        FERMATA_POINT("step.ended");
    };
    as_owner(claim.execution, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            look->execute(fence(claim.execution, look.now()));
            recorded.requests = requests_in(look->execute(ask(claim.execution)));
            return exists(*look, "SELECT 1 FROM step_execution WHERE id = $1 AND ended IS NOT NULL",
                          {Value(claim.id.value())});
        });
    });
    return recorded;
}

void Repository::end_execution(const Claim& claim, const JobEnd& end) {
    const auto verb = [&](StoreWrite& write) {
        const Event ended{.at = write.now(),
                          .execution = claim.execution,
                          .kind = "execution.ended",
                          .actor = std::string(runtime_actor),
                          .data = job_end_facts(end)};
        const bool stopped = end.status == BatchStatus::stopped;
        const BatchStatus below = stopped ? BatchStatus::stopped : BatchStatus::failed;
        const Ending ending = owner_row(write, claim);
        // What an owner before left resting may never have been entered again.
        const bool may_rest = claim.epoch > 1 && end.status != BatchStatus::completed;
        if (ending.has_paused || may_rest)
            end_unfinished_partitions(*write, claim.execution, claim.instance, below, write.now());
        if (ending.has_paused) complete_pauses(write, claim.execution, {}, "ended", std::string(runtime_actor));
        const auto steps = ends_of_unfinished_steps(claim.execution, claim.instance, below, write.now());
        const auto owner = forgetting(write.dialect(), ending.worker, claim.execution);
        std::vector<sql::Command> last(steps.begin(), steps.end());
        last.insert(last.end(), owner.begin(), owner.end());
        last.insert(last.end(), {end_job(claim, end, write.now()), journal(ended)});
        append_ring(last, write, end_channel);
        FERMATA_POINT("execution.before-end");
        write.commit(last);
        FERMATA_POINT("execution.ended");
    };
    as_owner(claim, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, claim.execution);
            return now.epoch == claim.epoch && has_ended(now.status);
        });
    });
}

Requests Repository::poll(const Claim& claim) {
    static const std::string sql = fmt::format("SELECT {}, epoch FROM job_execution WHERE id = $1", request_columns);
    const sql::Result found = impl_->select(sql, {Value(claim.execution.value())});
    if (found.empty()) throw no_such_execution(claim.execution);
    RowReader row(found[0]);
    const Requests requests = read_requests(row);
    if (row.integer() == claim.epoch) return requests;
    throw Error(ErrorKind::stale, fmt::format("execution {} is no longer owned here: its epoch {} was overtaken",
                                              claim.execution.value(), claim.epoch));
}

}  // namespace fermata
