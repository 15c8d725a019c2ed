// Partitions that workers claim: owned rows of their own. Whoever claims locks the rows of execution and step against
// change, so that nothing is claimed once a stop, a pause or an end was written; of partitions that others claim at
// this instant none is waited for.
#include "corpses.hpp"
#include "fence.hpp"
#include "groups.hpp"
#include "journal.hpp"
#include "lease.hpp"
#include "ownership.hpp"
#include "partition_rows.hpp"
#include "ring.hpp"
#include "step_state.hpp"
#include "what_waits.hpp"

#include <fermata/base/point.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

namespace fermata {
namespace {

constexpr std::int64_t most_at_once = 20;

/// Whose partitions are looked for.
struct Wanted {
    const Worker& worker;
    std::optional<StepExecutionId> step;  ///< of this one; nothing: of what the worker serves

    [[nodiscard]] Value key() const { return step ? Value(step->value()) : Value(worker.record().id); }
};

/// Where those stand that have waited longest: in which place, and of those with the same one in the oldest step.
struct Behind {
    std::int64_t place = 0;
    StepExecutionId step;
};

// The step behind `$2` and `$3` of which one has waited longest. In two statements, so that no server reads all that is
// offered to find the first few.
std::string open_step_sql(bool of_one, std::string_view locks) {
    return fmt::format(
        "SELECT {} AS place, s.id, s.step, e.id, e.instance_id, i.uuid, e.accept_sink, e.accept_input FROM {} {} WHERE "
        "{} AND {}({}, s.id) > ($2, $3) ORDER BY place, s.id LIMIT 1{}",
        first_place, running_steps, of_one ? "" : served_by("$1") + " AND w.dead = 0", offers_some,
        of_one ? "s.id = $1 AND " : "", first_place, locks);
}

// Locked against change: of a claim and a stop, a pause or an end, one comes first and the other one sees it.
std::optional<ClaimedPartitions> open_step(sql::Connection& connection, const Wanted& wanted, Behind& behind,
                                           std::string_view locks) {
    const sql::Result rows = connection.execute(open_step_sql(wanted.step.has_value(), locks),
                                                {wanted.key(), Value(behind.place), Value(behind.step.value())});
    if (rows.empty()) return std::nullopt;
    RowReader row(rows[0]);
    ClaimedPartitions found;
    behind.place = row.integer();
    found.step.id = behind.step = StepExecutionId(row.integer());
    found.step.step = row.text();
    found.step.execution.execution = JobExecutionId(row.integer());
    found.step.execution.instance = JobInstanceId(row.integer());
    found.step.execution.instance_uuid = row.text();
    found.accept_sink = row.flag();
    found.accept_input = row.flag();
    return found;
}

// Of the place and of those behind it, unless one of another step has waited longer. `most` as a parameter would have a
// server make a new plan each time, or a bad one.
std::string lock_partitions_sql(std::int64_t most, std::string_view locks) {
    return fmt::format(
        "SELECT CASE WHEN x.started IS NULL THEN 0 ELSE 1 END, {} FROM partition_execution x WHERE x.step_execution_id "
        "= $1 AND x.offered > 0 AND x.offered >= $2 AND x.offered <= COALESCE((SELECT MIN((SELECT MIN(y.offered) FROM "
        "partition_execution y WHERE y.step_execution_id = s.id AND y.offered > 0 AND y.offered >= $2)) FROM "
        "step_execution s WHERE s.offers = 1 AND s.ended IS NULL AND s.id > 0 AND s.id <> $1), x.offered) "
        "ORDER BY x.offered, x.partition LIMIT {}{}",
        partition_columns, most, locks.empty() ? "" : fmt::format("{} SKIP LOCKED", locks));
}

// And the row of the worker.
void lock_partitions(StoreWrite& write, const Worker& worker, ClaimedPartitions& claimed, std::int64_t place,
                     std::int64_t most) {
    const std::string sql = lock_partitions_sql(most, write.dialect().for_update);
    const std::string lock = lock_worker_sql(write.dialect());
    const sql::Command both[] = {{sql, {Value(claimed.step.id.value()), Value(place)}},
                                 {lock, {Value(worker.record().id)}}};
    const std::vector<sql::Result> found = write->execute_all(both);
    for (std::size_t r = 0; r < found[0].size(); ++r) {
        RowReader row(found[0][r]);
        ClaimedPartition& one = claimed.partitions.emplace_back();
        one.begun = row.flag();
        one.partition = read_partition(row);
    }
    require_locked(found[1], worker);
}

// Those that have waited longest, of one step, if nobody else claims them at this instant.
ClaimedPartitions lock_open(StoreWrite& write, const Wanted& wanted, std::int64_t most) {
    const std::string_view locks = write.dialect().for_update.empty() ? "" : " FOR SHARE OF e, s";
    Behind behind;
    while (auto step = open_step(*write, wanted, behind, locks)) {
        lock_partitions(write, wanted.worker, *step, behind.place, most);
        if (!step->partitions.empty()) return std::move(*step);
    }
    return {};
}

std::string shown(const WorkerRecord& worker) {
    if (!worker.name.empty()) return worker.name;
    return fmt::format("pid {} on {}", worker.process.pid, worker.host);
}

using Group = std::span<const ClaimedPartition* const>;

// Each by its whole key: for several numbers of a step that was planned just now, of which a server has no statistics
// yet, it reads all that the step has.
sql::Command own(const ClaimedPartitions& claimed, const ClaimedPartition& one, const Worker& worker,
                 const std::string& name, Timestamp now) {
    return {
        "UPDATE partition_execution SET status = 'STARTED', owner = $3, ran_by = $4, offered = 0, started = "
        "COALESCE(started, $5) WHERE step_execution_id = $1 AND partition = $2 AND offered > 0",
        {Value(claimed.step.id.value()), Value(one.partition.number), Value(worker.record().id), cell(name), cell(now)},
        1};
}

std::string own_group_sql(std::size_t rows) {
    static const std::array<ValuesColumn, 2> columns{{{"of_step", "BIGINT"}, {"number", "BIGINT"}}};
    return fmt::format(
        "UPDATE partition_execution SET status = 'STARTED', owner = $1, ran_by = $2, offered = 0, started = "
        "COALESCE(started, $3) FROM {} WHERE step_execution_id = v.of_step AND partition = v.number AND offered > 0",
        values(rows, columns, 3));
}

sql::Command own(const ClaimedPartitions& claimed, Group group, const Worker& worker, const std::string& name,
                 Timestamp now) {
    static const GroupTexts texts(own_group_sql);
    sql::Command command{texts.of(group.size()),
                         {Value(worker.record().id), cell(name), cell(now)},
                         static_cast<std::int64_t>(group.size())};
    for (const ClaimedPartition* one : group)
        command.params.insert(command.params.end(), {Value(claimed.step.id.value()), Value(one->partition.number)});
    return command;
}

// A partition counts from zero in its StepExecution, and goes on counting wherever it goes on.
std::string counting(bool begun) {
    if (begun) return "";
    return fmt::format(", exit_status = NULL, starts = starts + 1, {}, {}", fresh_counts, from_step("own_pause"));
}

const std::string& entered_columns() {
    static const std::string columns = fmt::format("partition, {}, {}", state_columns, progress_columns);
    return columns;
}

std::string enter_sql(bool begun) {
    return fmt::format(
        "UPDATE step_progress SET status = 'STARTED', epoch = epoch + 1, last_execution = $4, updated = $5, {}{} WHERE "
        "instance_id = $1 AND step = $2 AND partition = $3 RETURNING {}",
        from_step("outside_pause"), counting(begun), entered_columns());
}

sql::Command enter(const StepClaim& step, const ClaimedPartition& one, Timestamp now) {
    static const std::string first = enter_sql(false);
    static const std::string again = enter_sql(true);
    return {one.begun ? again : first,
            {Value(step.execution.instance.value()), cell(step.step), Value(one.partition.number + 1),
             Value(step.id.value()), cell(now)},
            1};
}

std::string enter_group_sql(bool begun, std::size_t rows) {
    static const std::array<ValuesColumn, 3> columns{
        {{"of_instance", "BIGINT"}, {"of_step", "TEXT"}, {"number", "BIGINT"}}};
    return fmt::format(
        "UPDATE step_progress SET status = 'STARTED', epoch = epoch + 1, last_execution = $3, updated = $4, {}{} FROM "
        "{} WHERE instance_id = v.of_instance AND step = v.of_step AND partition = v.number RETURNING {}",
        from_step("outside_pause"), counting(begun), values(rows, columns, 4), entered_columns());
}

sql::Command enter(const StepClaim& step, Group group, Timestamp now) {
    static const GroupTexts first([](std::size_t rows) { return enter_group_sql(false, rows); });
    static const GroupTexts again([](std::size_t rows) { return enter_group_sql(true, rows); });
    const Value instance(step.execution.instance.value());
    sql::Command command{(group.front()->begun ? again : first).of(group.size()),
                         {instance, cell(step.step), Value(step.id.value()), cell(now)},
                         static_cast<std::int64_t>(group.size())};
    for (const ClaimedPartition* one : group)
        command.params.insert(command.params.end(), {instance, cell(step.step), Value(one->partition.number + 1)});
    return command;
}

std::vector<const ClaimedPartition*> those(const ClaimedPartitions& claimed, bool begun) {
    std::vector<const ClaimedPartition*> found;
    for (const ClaimedPartition& one : claimed.partitions)
        if (one.begun == begun) found.push_back(&one);
    return found;
}

// Each twice: its progress, then the partition.
std::vector<sql::Command> take(const sql::Dialect& dialect, const ClaimedPartitions& claimed, const Worker& worker,
                               const std::string& name, Timestamp now) {
    const std::array kinds{those(claimed, false), those(claimed, true)};
    std::vector<sql::Command> taken;
    if (takes_groups(dialect) && claimed.partitions.size() >= group_sizes.back()) taken.push_back(look_up_each_row());
    for (const Group kind : kinds)
        in_groups(
            dialect, kind, [&](const ClaimedPartition* one) { taken.push_back(enter(claimed.step, *one, now)); },
            [&](Group group) { taken.push_back(enter(claimed.step, group, now)); });
    for (const Group kind : kinds)
        in_groups(
            dialect, kind, [&](const ClaimedPartition* one) { taken.push_back(own(claimed, *one, worker, name, now)); },
            [&](Group group) { taken.push_back(own(claimed, group, worker, name, now)); });
    return taken;
}

void read_entries(ClaimedPartitions& claimed, std::span<const sql::Result> entered) {
    std::map<std::int64_t, ClaimedPartition*> by_number;
    for (ClaimedPartition& one : claimed.partitions) by_number[one.partition.number + 1] = &one;
    for (const sql::Result& rows : entered) {
        const bool is_entry = !rows.columns.empty() && rows.columns.front() == "partition";
        if (!is_entry) continue;  // of another statement
        for (std::size_t i = 0; i < rows.size(); ++i) {
            RowReader row(rows[i]);
            const std::int64_t number = row.integer();
            StepEntry& entry = by_number.at(number)->entry;
            entry.state = read_state(row);
            entry.claim = claimed.step;
            entry.claim.partition = number;
            entry.claim.epoch = entry.state.epoch;
        }
    }
}

// All of them were committed, or none. The answer, which was lost, is asked for again.
bool owns(StoreWrite& look, ClaimedPartitions& claimed, const Worker& worker) {
    const std::string sql = fmt::format(
        "SELECT {} FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition = $3 AND EXISTS (SELECT 1 "
        "FROM partition_execution x WHERE x.step_execution_id = $4 AND x.partition = $3 - 1 AND x.owner = $5){}",
        entered_columns(), look.dialect().for_update);
    const StepClaim& step = claimed.step;
    std::vector<sql::Result> owned;
    for (const ClaimedPartition& one : claimed.partitions) {
        owned.push_back(
            look->execute(sql, {Value(step.execution.instance.value()), cell(step.step),
                                Value(one.partition.number + 1), Value(step.id.value()), Value(worker.record().id)}));
        if (owned.back().empty()) return false;
    }
    read_entries(claimed, owned);
    return !owned.empty();
}

std::optional<ClaimedPartitions> claim(Store& store, const Wanted& wanted, std::int64_t most) {
    if (most < 1) return std::nullopt;
    // Asked before a transaction where that would keep others waiting.
    const auto anything = [&](sql::Connection& connection) {
        Behind behind;
        return open_step(connection, wanted, behind, "");
    };
    if (!store.database.dialect().concurrent_writers && !store.read(anything)) return std::nullopt;
    const std::string name = shown(wanted.worker.record());
    ClaimedPartitions claimed;
    store.transact(
        [&](StoreWrite& write) {
            claimed = lock_open(write, wanted, std::min(most, most_at_once));
            if (claimed.partitions.empty()) return;
            const std::vector<sql::Command> taken = take(write.dialect(), claimed, wanted.worker, name, write.now());
            FERMATA_POINT("partitions.before-claim");
            read_entries(claimed, write.commit(taken));
            FERMATA_POINT("partitions.claimed");
        },
        [&](StoreWrite& look) { return owns(look, claimed, wanted.worker); });
    if (claimed.partitions.empty()) return std::nullopt;
    return claimed;
}

// Of so many partitions at once.
const std::string& collected_sql() {
    static const std::string sql = [] {
        std::string any;
        for (int i = 0; i < most_at_once; ++i)
            any += fmt::format("{}(partition = ${} AND number > ${})", i == 0 ? "" : " OR ", 2 + 2 * i, 3 + 2 * i);
        return fmt::format(
            "SELECT {} FROM partition_data WHERE step_execution_id = $1 AND ({}) ORDER BY partition, number",
            collected_columns, any);
    }();
    return sql;
}

// --- partitions whose owner has gone

struct Owned {
    JobExecutionId execution;
    JobInstanceId instance;
    StepExecutionId step;
    std::string name;
    std::vector<std::int64_t> numbers;
};

// By execution and step.
std::vector<Owned> owned_by(sql::Connection& connection, std::int64_t worker) {
    const sql::Result rows = connection.execute(
        "SELECT e.id, e.instance_id, s.id, s.step, x.partition FROM partition_execution x JOIN step_execution s ON "
        "s.id = x.step_execution_id JOIN job_execution e ON e.id = s.execution_id WHERE x.owner = $1 ORDER BY e.id, "
        "s.id, x.partition",
        {Value(worker)});
    std::vector<Owned> owned;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const JobExecutionId execution(row.integer());
        const JobInstanceId instance(row.integer());
        const StepExecutionId step(row.integer());
        std::string name = row.text();
        if (owned.empty() || owned.back().step != step)
            owned.push_back({execution, instance, step, std::move(name), {}});
        owned.back().numbers.push_back(row.integer());
    }
    return owned;
}

// False if it is not this worker's any more.
bool release(StoreWrite& write, const Owned& step, std::int64_t number, std::int64_t worker) {
    static const std::string progress = fmt::format(
        "UPDATE step_progress SET epoch = epoch + 1, status = 'STARTING', updated = $4, {} WHERE instance_id = $1 AND "
        "step = $2 AND partition = $3 AND status = 'STARTED' AND EXISTS (SELECT 1 FROM partition_execution x WHERE "
        "x.step_execution_id = $5 AND x.partition = $3 - 1 AND x.owner = $6)",
        one_death_more);
    const bool was = write
                         ->execute(progress, {Value(step.instance.value()), cell(step.name), Value(number + 1),
                                              cell(write.now()), Value(step.step.value()), Value(worker)})
                         .changed == 1;
    if (!was) return false;
    write->execute(sql::Command{
        "UPDATE partition_execution SET status = 'STARTING', owner = NULL, offered = 1 WHERE step_execution_id = $1 "
        "AND partition = $2 AND owner = $3",
        {Value(step.step.value()), Value(number), Value(worker)},
        1});
    return true;
}

void journal_release(StoreWrite& write, const Owned& step, std::int64_t number, const std::string& evidence,
                     const std::string& actor) {
    const Event released{
        .at = write.now(),
        .execution = step.execution,
        .kind = "partition.orphaned",
        .actor = actor,
        .data = facts(
            {{"step", std::string_view(step.name)}, {"partition", number}, {"evidence", std::string_view(evidence)}})};
    write->execute(journal(released));
}

// In doubt it is done once more: then there is nothing left to be released, and the answer is that of before.
std::vector<PartitionKey> release_all(Store& store, const Owned& step, std::int64_t worker,
                                      std::span<const PartitionKey> but, const std::string& evidence,
                                      const std::string& actor) {
    std::vector<PartitionKey> released;
    std::vector<std::int64_t> numbers;
    for (const std::int64_t number : step.numbers)
        if (std::ranges::find(but, PartitionKey{step.step, number}) == but.end()) numbers.push_back(number);
    if (numbers.empty()) return released;  // and nobody has to wait for the execution's row
    store.transact([&](StoreWrite& write) {
        bool any = false;
        write.lock("job_execution", step.execution.value());
        for (const std::int64_t number : numbers) {
            if (!release(write, step, number, worker)) continue;
            journal_release(write, step, number, evidence, actor);
            any = true;
            const PartitionKey key{step.step, number};
            if (std::ranges::find(released, key) == released.end()) released.push_back(key);
        }
        if (!any) return;
        ring_workers(write);
        FERMATA_POINT("partitions.before-release");
        write.commit();
    });
    return released;
}

}  // namespace

std::optional<ClaimedPartitions> Repository::claim_partitions(const Worker& worker, std::int64_t most) {
    return claim(*impl_, {.worker = worker, .step = {}}, most);
}

std::optional<ClaimedPartitions> Repository::claim_partitions_of(const StepClaim& step, const Worker& worker,
                                                                 std::int64_t most) {
    return claim(*impl_, {.worker = worker, .step = step.id}, most);
}

Requests Repository::poll_partition(const StepClaim& partition) {
    static const std::string sql = fmt::format(
        "SELECT {}, (SELECT p.epoch FROM step_progress p WHERE p.instance_id = e.instance_id AND p.step = $2 AND "
        "p.partition = $3 AND p.status = 'STARTED') FROM job_execution e WHERE e.id = $1",
        request_columns);
    const sql::Result found = impl_->select(
        sql, {Value(partition.execution.execution.value()), cell(partition.step), Value(partition.partition)});
    if (found.empty()) throw no_such_execution(partition.execution.execution);
    RowReader row(found[0]);
    const Requests requests = read_requests(row);
    if (row.optional_integer() == partition.epoch) return requests;
    throw Error(
        ErrorKind::stale,
        fmt::format("partition {} of step \"{}\" of execution {} is no longer owned here: its epoch {} was "
                    "overtaken",
                    partition.partition - 1, partition.step, partition.execution.execution.value(), partition.epoch));
}

void Repository::offer_partitions(const StepClaim& step, bool offered) {
    as_owner(step.execution, [&] {
        // In doubt it is done once more, which changes nothing.
        impl_->transact([&](StoreWrite& write) {
            write->execute(fence(step.execution, write.now()));
            if (offered) ring_workers(write);
            const sql::Command last[] = {
                {"UPDATE step_execution SET offers = $2, updated = $3 WHERE id = $1 AND offers > 0",
                 {Value(step.id.value()), Value(offered ? 1 : 2), cell(write.now())}}};
            write.commit(last);
        });
    });
}

std::vector<PartitionNews> Repository::partition_news(StepExecutionId step, std::int64_t first) {
    static const std::string sql = fmt::format(
        "SELECT {}, {}, (SELECT p.sequence FROM step_progress p WHERE p.instance_id = e.instance_id AND p.step = "
        "s.step "
        "AND p.partition = x.partition + 1) FROM partition_execution x JOIN step_execution s ON s.id = "
        "x.step_execution_id JOIN job_execution e ON e.id = s.execution_id WHERE x.step_execution_id = $1 AND "
        "x.partition >= $2 AND x.ran_by IS NOT NULL ORDER BY x.partition",
        partition_columns, live_metrics_of_partition());
    return read_all(impl_->select(sql, {Value(step.value()), Value(first)}), [](std::span<const Value> cells) {
        RowReader row(cells);
        PartitionNews news{.partition = read_partition(row)};
        news.partition.metrics = row.metrics();
        news.sequence = row.integer();
        return news;
    });
}

std::vector<CollectedData> Repository::collected_after(StepExecutionId step,
                                                       const std::map<std::int64_t, std::int64_t>& sequences) {
    std::vector<CollectedData> collected;
    for (auto next = sequences.begin(); next != sequences.end();) {
        sql::Params params{Value(step.value())};
        for (std::int64_t i = 0; i < most_at_once; ++i) {
            const bool is_left = next != sequences.end();
            params.insert(params.end(), {Value(is_left ? next->first : -1), Value(is_left ? next->second : 0)});
            if (is_left) ++next;
        }
        const sql::Result rows = impl_->select(collected_sql(), params);
        for (std::size_t i = 0; i < rows.size(); ++i) collected.push_back(read_collected(rows[i]));
    }
    return collected;
}

std::int64_t Repository::release_lost_partitions(const Worker& finder, const std::string& actor) {
    // Whoever serves has asked that for its executions already.
    const bool has_leases = impl_->database.dialect().concurrent_writers;
    if (has_leases && !impl_->serves(finder)) declare_dead(*impl_, finder.record().id);
    std::int64_t released = 0;
    const auto dead = impl_->read(
        [&](sql::Connection& connection) { return corpses(connection, finder, of_a_partition, data_folder_); });
    for (const Corpse& corpse : dead) {
        const WorkerRecord& worker = corpse.worker;
        const auto owned = impl_->read([&](sql::Connection& connection) {
            if (worker.declared_dead) end_sessions(connection, worker.id);
            return owned_by(connection, worker.id);
        });
        for (const Owned& step : owned)
            released +=
                static_cast<std::int64_t>(release_all(*impl_, step, worker.id, {}, corpse.evidence, actor).size());
        forget_if_idle(*impl_, worker, data_folder_);
    }
    return released;
}

std::vector<PartitionKey> Repository::disown_unknown_partitions(const Worker& worker,
                                                                std::span<const PartitionKey> known,
                                                                const std::string& actor) {
    const std::int64_t id = worker.record().id;
    const auto owned = impl_->read([&](sql::Connection& connection) { return owned_by(connection, id); });
    std::vector<PartitionKey> disowned;
    for (const Owned& step : owned) {
        const auto released =
            release_all(*impl_, step, id, known, fmt::format("worker {} does not run it", worker.record().name), actor);
        disowned.insert(disowned.end(), released.begin(), released.end());
    }
    return disowned;
}

}  // namespace fermata
