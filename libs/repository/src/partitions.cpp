// Partitions: their plan, stored in bulk before any of them begins; entering and ending one; what their collectors
// said. A partition belongs to the step's present plan if its row of progress has the step's generation.
#include "fence.hpp"
#include "groups.hpp"
#include "journal.hpp"
#include "partition_rows.hpp"
#include "ring.hpp"
#include "step_state.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/point.hpp>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <array>
#include <set>
#include <tuple>

namespace fermata {
namespace {

constexpr int last_few = 16;

// --- the plan

// Locks the step for its owner and answers its generation.
std::int64_t lock_step(sql::Connection& connection, const StepClaim& claim, bool forget_earlier, Timestamp now) {
    const sql::Result locked = connection.execute(sql::Command{
        "UPDATE step_progress SET generation = generation + $5, sequence = CASE WHEN $5 = 1 THEN 0 ELSE sequence END, "
        "updated = $4 WHERE instance_id = $1 AND step = $2 AND partition = 0 AND epoch = $3 AND status = 'STARTED' "
        "RETURNING generation",
        {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.epoch), cell(now),
         flag_cell(forget_earlier)},
        1});
    return locked[0][0].integer();
}

struct Earlier {
    std::int64_t count = 0;
    std::set<std::int64_t> completed;  ///< numbers
};

Earlier earlier_partitions(sql::Connection& connection, const StepClaim& claim, std::int64_t generation) {
    const sql::Result rows = connection.execute(
        "SELECT partition, status FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition > 0 AND "
        "generation = $3",
        {Value(claim.execution.instance.value()), cell(claim.step), Value(generation)});
    Earlier earlier{.count = static_cast<std::int64_t>(rows.size()), .completed = {}};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const std::int64_t number = row.integer() - 1;
        if (row.status() == BatchStatus::completed) earlier.completed.insert(number);
    }
    return earlier;
}

// One statement for any number of rows. What is there belongs to an older generation: it begins anew.
void insert_progress(sql::Connection& connection, const StepClaim& claim, std::int64_t count, std::int64_t generation,
                     Timestamp now) {
    static const std::string sql = fmt::format(
        "WITH RECURSIVE numbers (n) AS (SELECT CAST(1 AS BIGINT) UNION ALL SELECT n + 1 FROM numbers WHERE n < $4) "
        "INSERT INTO step_progress (instance_id, step, partition, status, starts, epoch, last_execution, generation, "
        "updated) SELECT CAST($1 AS BIGINT), $2, n, 'STARTING', 0, 1, CAST($3 AS BIGINT), CAST($5 AS BIGINT), "
        "CAST($6 AS BIGINT) FROM numbers WHERE n <= $4 "
        "ON CONFLICT (instance_id, step, partition) DO UPDATE SET status = 'STARTING', exit_status = NULL, starts = 0, "
        "epoch = step_progress.epoch + 1, last_execution = excluded.last_execution, updated = excluded.updated, "
        "generation = excluded.generation, sequence = 0, reader = NULL, writer = NULL, side_outputs = NULL, "
        "replay_left = 0, user_data = NULL, exhausted = 0, publishing = 0, deaths = 0, death_sequence = 0, "
        "intent = NULL, {}",
        fresh_counts);
    connection.execute(sql, {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.id.value()),
                             Value(count), Value(generation), cell(now)});
}

// What each partition was given last.
std::vector<Parameters> earlier_properties(sql::Connection& connection, const StepClaim& claim, std::int64_t count) {
    std::vector<Parameters> properties(static_cast<std::size_t>(count));
    const sql::Result rows = connection.execute(
        "SELECT x.partition, x.properties FROM job_execution e JOIN step_execution s ON s.execution_id = e.id AND "
        "s.step = $2 JOIN partition_execution x ON x.step_execution_id = s.id WHERE e.instance_id = $1 "
        "ORDER BY x.step_execution_id",
        {Value(claim.execution.instance.value()), cell(claim.step)});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const auto number = static_cast<std::size_t>(row.integer());
        if (number < properties.size()) properties[number] = parameters_in(row.text());
    }
    return properties;
}

std::vector<PartitionExecution> planned(const std::vector<Parameters>& properties, std::int64_t count,
                                        const std::set<std::int64_t>& completed) {
    std::vector<PartitionExecution> partitions;
    partitions.reserve(static_cast<std::size_t>(count));
    for (std::int64_t number = 0; number < count; ++number) {
        if (completed.contains(number)) continue;
        PartitionExecution& partition = partitions.emplace_back();
        partition.number = number;
        partition.status = BatchStatus::starting;
        const auto index = static_cast<std::size_t>(number);
        if (index < properties.size()) partition.properties = properties[index];
    }
    return partitions;
}

void insert_partitions(sql::Connection& connection, const StepClaim& claim, const StoredPlan& plan) {
    static const std::string last = fmt::format("SELECT {}", last_place);
    const std::int64_t place = plan.for_workers ? connection.execute(last)[0][0].integer() : 0;
    const auto& partitions = plan.partitions;
    std::vector<std::string> texts;
    texts.reserve(partitions.size());
    sql::Params cells;
    for (const PartitionExecution& partition : partitions) {
        texts.push_back(json_of(partition.properties));
        cells.insert(cells.end(), {Value(claim.id.value()), Value(partition.number), cell(texts.back()),
                                   cell(to_string(partition.status)), Value(place)});
    }
    insert_rows(connection,
                "INSERT INTO partition_execution (step_execution_id, partition, properties, status, offered) VALUES ",
                5, cells);
}

sql::Command note_plan(const StepClaim& claim, std::int64_t count, const StoredPlan& plan, Timestamp now) {
    return {
        "UPDATE step_execution SET partitions = $2, threads = $3, offers = $5, updated = $4 WHERE id = $1 AND ended IS "
        "NULL",
        {Value(claim.id.value()), Value(count), Value(plan.threads), cell(now), flag_cell(plan.for_workers)},
        1};
}

bool is_for_workers(sql::Connection& connection, JobExecutionId execution) {
    return exists(connection, "SELECT 1 FROM job_execution WHERE id = $1 AND for_workers = 1",
                  {Value(execution.value())});
}

// --- one partition

// The execution's row stays locked: otherwise the partition could begin while somebody takes the execution over, or
// ends it, and does not see that.
std::string of_partition(const sql::Dialect& dialect) {
    return fmt::format(
        "WHERE instance_id = $1 AND step = $2 AND partition = $3 AND EXISTS "
        "(SELECT 1 FROM job_execution e WHERE e.id = $4 AND e.epoch = $5 AND (e.status = 'STARTED' OR "
        "e.status = 'STOPPING' OR e.status = 'PAUSING'){}) RETURNING {}, {}",
        dialect.for_update, state_columns, progress_columns);
}

std::string take_progress(StepEntryMode mode, const sql::Dialect& dialect) {
    if (mode != StepEntryMode::start)
        return fmt::format(
            "UPDATE step_progress SET status = 'STARTED', epoch = epoch + 1, last_execution = $6, updated = $7, {} {}",
            from_step("outside_pause"), of_partition(dialect));
    return fmt::format(
        "UPDATE step_progress SET status = 'STARTED', exit_status = NULL, starts = starts + 1, epoch = epoch + 1, "
        "last_execution = $6, updated = $7, {}, {}, {} {}",
        fresh_counts, from_step("own_pause"), from_step("outside_pause"), of_partition(dialect));
}

sql::Command begin_partition(const StepClaim& step, std::int64_t number, Timestamp now) {
    return {
        "UPDATE partition_execution SET status = 'STARTED', started = COALESCE(started, $3) "
        "WHERE step_execution_id = $1 AND partition = $2 AND ended IS NULL",
        {Value(step.id.value()), Value(number), cell(now)},
        1};
}

sql::Command end_progress(const StepClaim& claim, const PartitionEnd& end, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, status = $25, exit_status = $26, updated = $27, deaths = 0, intent = NULL, "
        "pause_request = $28 "
        "WHERE instance_id = $21 AND step = $22 AND partition = $23 AND epoch = $24 AND status = 'STARTED'",
        progress_assignments());
    sql::Command command{sql, {}, 1};
    append_progress(command.params, end.progress);
    command.params.insert(
        command.params.end(),
        {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition), Value(claim.epoch),
         cell(to_string(end.status)), cell(end.exit_status), cell(now), cell(end.progress.pause)});
    return command;
}

sql::Command end_row(const StepClaim& claim, const PartitionEnd& end, Timestamp now) {
    sql::Command command{
        "UPDATE partition_execution SET status = $3, exit_status = $4, ended = $5, error_class = $6, "
        "error_message = $7, error_step = $8, error_position = $9, read = $10, written = $11, filtered = $12, "
        "read_skips = $13, process_skips = $14, write_skips = $15, commits = $16, rollbacks = $17, cut = $18, "
        "owner = NULL, offered = 0 WHERE step_execution_id = $1 AND partition = $2 AND ended IS NULL",
        {Value(claim.id.value()), Value(claim.partition - 1), cell(to_string(end.status)), cell(end.exit_status),
         cell(now)},
        1};
    append_failure(command.params, end.failure);
    append_metrics(command.params, end.progress.metrics);
    command.params.push_back(flag_cell(end.cut));
    return command;
}

// The owner of the execution waits for the last one. Those that end at the same instant do not see each other's end, so
// each of the last few rings. If there were more of them, it looks once in a while.
sql::Command ring_if_among_last(const StepClaim& claim) {
    static const std::string sql = fmt::format(
        "SELECT pg_notify('{}', '') WHERE NOT EXISTS (SELECT 1 FROM partition_execution WHERE step_execution_id = $1 "
        "AND offered > 0) AND NOT EXISTS (SELECT 1 FROM partition_execution WHERE step_execution_id = $1 AND ran_by IS "
        "NOT NULL AND ended IS NULL OFFSET {})",
        request_channel, last_few);
    return {sql, {Value(claim.id.value())}};
}

sql::Command insert_data(const StepClaim& claim, std::int64_t sequence, const std::string& data) {
    return {
        "INSERT INTO partition_data (step_execution_id, partition, number, data) VALUES ($1, $2, $3, $4) "
        "ON CONFLICT (step_execution_id, partition, number) DO UPDATE SET data = excluded.data",
        {Value(claim.id.value()), Value(claim.partition - 1), Value(sequence), Value(std::as_bytes(std::span(data)))}};
}

// --- ends: those of several threads at one time in one transaction

using Group = std::span<const EndingPartition* const>;

std::string type_of_progress(const sql::Dialect& dialect, std::string_view column) {
    constexpr std::array<std::string_view, 4> bytes{"reader", "writer", "side_outputs", "user_data"};
    if (std::ranges::find(bytes, column) != bytes.end()) return std::string(dialect.bytes);
    return column == "set_exit_status" ? "TEXT" : "BIGINT";
}

std::string assigned(std::span<const ValuesColumn> columns) {
    std::string text;
    for (const ValuesColumn& column : columns) text += fmt::format("{0} = v.{0}, ", column.name);
    return text;
}

std::string end_progress_group_sql(const sql::Dialect& dialect, std::size_t rows) {
    std::vector<ValuesColumn> columns{
        {"instance_id", "BIGINT"}, {"step", "TEXT"}, {"partition", "BIGINT"}, {"epoch", "BIGINT"}};
    const std::size_t keys = columns.size();
    for (const std::string& column : split(progress_columns, ','))
        columns.push_back({std::string(trim(column)), type_of_progress(dialect, trim(column))});
    columns.insert(columns.end(), {{"status", "TEXT"}, {"exit_status", "TEXT"}, {"pause_request", "TEXT"}});
    return fmt::format(
        "UPDATE step_progress p SET {}updated = $1, deaths = 0, intent = NULL FROM {} WHERE p.instance_id = "
        "v.instance_id AND p.step = v.step AND p.partition = v.partition AND p.epoch = v.epoch AND p.status = "
        "'STARTED'",
        assigned(std::span(columns).subspan(keys)), values(rows, columns, 1));
}

sql::Command end_progress(const GroupTexts& texts, Group group, Timestamp now) {
    sql::Command command{texts.of(group.size()), {cell(now)}, static_cast<std::int64_t>(group.size())};
    for (const auto* one : group) {
        const auto& [claim, end] = *one;
        command.params.insert(command.params.end(), {Value(claim.execution.instance.value()), cell(claim.step),
                                                     Value(claim.partition), Value(claim.epoch)});
        append_progress(command.params, end.progress);
        command.params.insert(command.params.end(),
                              {cell(to_string(end.status)), cell(end.exit_status), cell(end.progress.pause)});
    }
    return command;
}

std::string end_row_group_sql(std::size_t rows) {
    std::vector<ValuesColumn> columns{{"step_execution_id", "BIGINT"}, {"partition", "BIGINT"}};
    const std::size_t keys = columns.size();
    for (const std::string_view text :
         {"status", "exit_status", "error_class", "error_message", "error_step", "error_position"})
        columns.push_back({std::string(text), "TEXT"});
    for (const std::string_view number :
         {"read", "written", "filtered", "read_skips", "process_skips", "write_skips", "commits", "rollbacks", "cut"})
        columns.push_back({std::string(number), "BIGINT"});
    return fmt::format(
        "UPDATE partition_execution x SET {}ended = $1, owner = NULL, offered = 0 FROM {} WHERE x.step_execution_id = "
        "v.step_execution_id AND x.partition = v.partition AND x.ended IS NULL",
        assigned(std::span(columns).subspan(keys)), values(rows, columns, 1));
}

sql::Command end_row(Group group, Timestamp now) {
    static const GroupTexts texts(end_row_group_sql);
    sql::Command command{texts.of(group.size()), {cell(now)}, static_cast<std::int64_t>(group.size())};
    for (const auto* one : group) {
        const auto& [claim, end] = *one;
        command.params.insert(command.params.end(), {Value(claim.id.value()), Value(claim.partition - 1),
                                                     cell(to_string(end.status)), cell(end.exit_status)});
        append_failure(command.params, end.failure);
        append_metrics(command.params, end.progress.metrics);
        command.params.push_back(flag_cell(end.cut));
    }
    return command;
}

// Data first, progress after, as a chunk does: one of a zombie may hold the row of this data.
void append_ends(std::vector<sql::Command>& last, const sql::Dialect& dialect, Group all, Timestamp now) {
    for (const auto* one : all)
        if (one->end.collected)
            last.push_back(insert_data(one->claim, one->end.progress.sequence + 1, *one->end.collected));
    if (takes_groups(dialect) && all.size() >= group_sizes.back()) last.push_back(look_up_each_row());
    const auto append_one = [&](const EndingPartition* one) {
        last.push_back(end_progress(one->claim, one->end, now));
        last.push_back(end_row(one->claim, one->end, now));
    };
    in_groups(dialect, all, append_one, [&](Group group) {
        static const GroupTexts progress([&](std::size_t rows) { return end_progress_group_sql(dialect, rows); });
        last.push_back(end_progress(progress, group, now));
        last.push_back(end_row(group, now));
    });
}

void end_all(StoreWrite& write, Group all) {
    std::vector<sql::Command> last;
    append_ends(last, write.dialect(), all, write.now());
    const bool can_ring = sql::notices_of(*write) != nullptr;
    std::set<StepExecutionId> rung;
    for (const EndingPartition* one : all) {
        const bool is_claimed = !one->claim.execution.owns_execution();
        if (is_claimed && can_ring && rung.insert(one->claim.id).second) last.push_back(ring_if_among_last(one->claim));
    }
    FERMATA_POINT("partition.before-end");
    write.commit(last);
    FERMATA_POINT("partition.ended");
}

// All of them, or nothing was committed. That one has lost its execution says nothing of the others.
void lock_executions(StoreWrite& look, Group all) {
    if (all.size() == 1) return lock_for_owner(look, all.front()->claim.execution);
    std::set<JobExecutionId> executions;
    for (const EndingPartition* one : all) executions.insert(one->claim.execution.execution);
    for (const JobExecutionId id : executions) look.lock("job_execution", id.value());
}

bool have_ended(StoreWrite& look, Group all) {
    lock_executions(look, all);
    return std::ranges::all_of(all, [&](const EndingPartition* one) {
        return exists(*look,
                      "SELECT 1 FROM partition_execution WHERE step_execution_id = $1 AND partition = $2 AND ended IS "
                      "NOT NULL",
                      {Value(one->claim.id.value()), Value(one->claim.partition - 1)});
    });
}

void end_in_one_transaction(Store& store, Group all) {
    store.transact([&](StoreWrite& write) { end_all(write, all); },
                   [&](StoreWrite& look) { return have_ended(look, all); });
}

void end_alone(Store& store, const EndingPartition& one) {
    const EndingPartition* const only[] = {&one};
    as_owner(one.claim.execution, [&] { end_in_one_transaction(store, only); });
}

// By execution, step and number, as everybody locks them. If one of them is refused, so are all: then each is to try
// alone.
bool end_together(Store& store, Group all) {
    std::vector<const EndingPartition*> in_order(all.begin(), all.end());
    std::ranges::sort(in_order, {}, [](const EndingPartition* one) {
        return std::tuple(one->claim.execution.execution, one->claim.id, one->claim.partition);
    });
    if (in_order.size() == 1) {
        end_alone(store, *in_order.front());
        return true;
    }
    try {
        end_in_one_transaction(store, in_order);
        return true;
    } catch (const Error& error) {
        if (error.is_transient()) throw;  // the database's, not one of theirs
        return false;
    }
}

}  // namespace

StoredPlan Repository::store_plan(StepEntry& step, const PlanRequest& request) {
    const StepClaim& claim = step.claim;
    StoredPlan plan;
    std::int64_t generation = 0;
    const auto verb = [&](StoreWrite& write) {
        generation = lock_step(*write, claim, request.forget_earlier, write.now());
        const Earlier earlier = earlier_partitions(*write, claim, generation);
        const std::int64_t count = earlier.count > 0 ? earlier.count : request.partitions;
        if (earlier.count == 0 && count > 0) insert_progress(*write, claim, count, generation, write.now());
        const bool keep = request.keep_properties && earlier.count > 0;
        const auto properties = keep ? earlier_properties(*write, claim, count) : request.properties;
        plan = {.threads = request.threads,
                .partitions = planned(properties, count, earlier.completed),
                .for_workers = request.for_workers || is_for_workers(*write, claim.execution.execution)};
        insert_partitions(*write, claim, plan);
        if (plan.for_workers) ring_workers(write);
        const sql::Command last[] = {note_plan(claim, count, plan, write.now())};
        FERMATA_POINT("plan.before-commit");
        write.commit(last);
        FERMATA_POINT("plan.stored");
    };
    as_owner(claim.execution, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            look->execute(fence(claim.execution, look.now()));
            return exists(*look, "SELECT 1 FROM step_execution WHERE id = $1 AND partitions IS NOT NULL",
                          {Value(claim.id.value())});
        });
    });
    if (generation != step.state.progress.generation) step.state.progress.sequence = 0;
    step.state.progress.generation = generation;
    return plan;
}

std::optional<StoredPlan> Repository::plan_of(const StepClaim& step) {
    const sql::Result found =
        impl_->select("SELECT threads, offers FROM step_execution WHERE id = $1 AND partitions IS NOT NULL",
                      {Value(step.id.value())});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    const std::int64_t threads = row.integer();
    return StoredPlan{.threads = threads, .partitions = partitions_of(step.id), .for_workers = row.flag()};
}

StepEntry Repository::enter_partition(const StepClaim& step, std::int64_t number, StepEntryMode mode) {
    StepState state;
    const std::string take = take_progress(mode, impl_->database.dialect());
    as_owner(step.execution, [&] {
        // In doubt it is entered once more: nothing was done under the epoch that is then lost.
        impl_->transact([&](StoreWrite& write) {
            const sql::Command taken[] = {{take,
                                           {Value(step.execution.instance.value()), cell(step.step), Value(number + 1),
                                            Value(step.execution.execution.value()), Value(step.execution.epoch),
                                            Value(step.id.value()), cell(write.now())},
                                           1},
                                          begin_partition(step, number, write.now())};
            state = only_state(write.commit(taken).front());
            FERMATA_POINT("partition.entered");
        });
    });
    StepClaim claim = step;
    claim.epoch = state.epoch;
    claim.partition = number + 1;
    return StepEntry{claim, state};
}

void Repository::end_partition(const StepClaim& partition, const PartitionEnd& end) {
    const EndingPartition mine{partition, end};
    const auto group = [this](std::span<const EndingPartition* const> all) { return end_together(*impl_, all); };
    if (!impl_->ending_partitions.ask(mine, group)) end_alone(*impl_, mine);
}

void Repository::store_collected(Unit& unit, const StepClaim& partition, std::int64_t sequence,
                                 const std::string& data) {
    unit.connection().execute(insert_data(partition, sequence, data));
}

void Repository::store_collected(const StepClaim& partition, std::int64_t sequence, const std::string& data) {
    as_owner(partition.execution, [&] {
        impl_->transact([&](StoreWrite& write) {
            const sql::Command last[] = {
                insert_data(partition, sequence, data),
                {"UPDATE step_progress SET updated = $5 WHERE instance_id = $1 AND step = $2 AND partition = $3 AND "
                 "epoch = $4 AND status = 'STARTED'",
                 {Value(partition.execution.instance.value()), cell(partition.step), Value(partition.partition),
                  Value(partition.epoch), cell(write.now())},
                 1}};
            write.commit(last);
        });
    });
}

std::vector<CollectedData> Repository::collected_of(StepExecutionId step) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM partition_data WHERE step_execution_id = $1 ORDER BY partition, number", collected_columns);
    return read_all(impl_->select(sql, {Value(step.value())}), read_collected);
}

std::vector<PartitionExecution> Repository::partitions_of(StepExecutionId step) {
    static const std::string sql = fmt::format(
        "SELECT {}, {} FROM partition_execution x JOIN step_execution s ON s.id = x.step_execution_id JOIN "
        "job_execution e ON e.id = s.execution_id WHERE x.step_execution_id = $1 ORDER BY x.partition",
        partition_columns, live_metrics_of_partition());
    return read_all(impl_->select(sql, {Value(step.value())}), [](std::span<const Value> cells) {
        RowReader row(cells);
        PartitionExecution partition = read_partition(row);
        partition.metrics = row.metrics();
        return partition;
    });
}

}  // namespace fermata
