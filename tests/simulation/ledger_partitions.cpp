// What the ledger knows of partitions that workers claim.
#include "ledger.hpp"

#include <algorithm>

namespace fermata::simulation {
namespace {

BatchStatus status_of(const Value& cell) { return parse_batch_status(cell.text()).value(); }

std::string shown(const PartitionKey& partition) {
    return fmt::format("partition {} of step execution {}", partition.number, partition.step.value());
}

}  // namespace

Holding Ledger::partition_holding(const Owned& partition) {
    const sql::Result row = world_.store.watcher().execute(
        "SELECT p.epoch, p.status, COALESCE(w.incarnation, '') FROM step_progress p JOIN partition_execution x ON "
        "x.step_execution_id = $3 AND x.partition = p.partition - 1 LEFT JOIN worker w ON w.id = x.owner WHERE "
        "p.instance_id = $1 AND p.step = $2 AND p.partition = $4 + 1",
        {Value(partition.claim.instance.value()), Value(std::string_view(partition.step)),
         Value(partition.partition->step.value()), Value(partition.partition->number)});
    return {row[0][0].integer(), status_of(row[0][1]), std::string(row[0][2].text())};
}

/// Nothing is to begin once a stop, a pause, an end or a withdrawal was written.
void Ledger::may_be_claimed(const Owned& partition) {
    const sql::Result row = world_.store.watcher().execute(
        "SELECT e.status, s.status, s.offers, CASE WHEN s.cut_by IS NULL THEN 0 ELSE 1 END FROM step_execution s JOIN "
        "job_execution e ON e.id = s.execution_id WHERE s.id = $1",
        {Value(partition.partition->step.value())});
    const bool runs = status_of(row[0][0]) == BatchStatus::started && status_of(row[0][1]) == BatchStatus::started;
    if (runs && row[0][2].integer() == 1 && row[0][3].integer() == 0) return;
    throw Violation(fmt::format("{} was claimed while its execution was {} and its step was {}{}", partition.shown(),
                                row[0][0].text(), row[0][1].text(),
                                row[0][2].integer() == 1 ? "" : " and offered none"));
}

std::vector<PartitionKey> Ledger::partitions_owned_by(const Worker& worker) {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT x.step_execution_id, x.partition FROM partition_execution x JOIN worker w ON w.id = x.owner WHERE "
        "w.incarnation = $1",
        {Value(std::string_view(worker.record().incarnation))});
    std::vector<PartitionKey> owned;
    for (std::size_t i = 0; i < rows.size(); ++i)
        owned.push_back({StepExecutionId(rows[i][0].integer()), rows[i][1].integer()});
    return owned;
}

bool Ledger::runs_elsewhere(StepExecutionId step, const Worker& than) {
    return !world_.store.watcher()
                .execute(
                    "SELECT 1 FROM partition_execution x JOIN worker w ON w.id = x.owner WHERE "
                    "x.step_execution_id = $1 AND w.incarnation <> $2",
                    {Value(step.value()), Value(std::string_view(than.record().incarnation))})
                .empty();
}

void Ledger::heard(StepExecutionId step, std::int64_t number, const std::vector<std::string>& collected) {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT first || '-' || last FROM sim_chunk WHERE execution = $1 AND partition = $2 + 1 ORDER BY id",
        {Value(step.value()), Value(number)});
    bool all = rows.size() == collected.size();
    for (std::size_t i = 0; all && i < rows.size(); ++i) all = rows[i][0].text() == collected[i];
    if (!all)
        throw Violation(fmt::format("of {}, which has committed {} chunks, {} were heard of: {}", shown({step, number}),
                                    rows.size(), collected.size(), fmt::join(collected, ", ")));
    if (!collected.empty()) world_.sometimes("the owner of an execution heard what collectors said");
}

// --- looks

void Ledger::partitions() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT x.step_execution_id, x.partition, p.epoch, COALESCE(w.incarnation, ''), e.status, COALESCE(o.id, 0), "
        "COALESCE(w.id, 0), e.epoch FROM step_execution s JOIN partition_execution x ON x.step_execution_id = s.id AND "
        "x.ran_by IS NOT NULL JOIN job_execution e ON e.id = s.execution_id JOIN step_progress p ON "
        "p.instance_id = e.instance_id AND p.step = s.step AND p.partition = x.partition + 1 LEFT JOIN worker w ON "
        "w.id = x.owner LEFT JOIN worker o ON o.id = e.owner WHERE s.offers > 0");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        const PartitionKey key{StepExecutionId(row[0].integer()), row[1].integer()};
        const SeenPartition now{row[2].integer(), std::string(row[3].text()), status_of(row[4]), row[7].integer()};
        const bool runs_elsewhere = row[6].integer() != 0 && row[6].integer() != row[5].integer();
        if (runs_elsewhere && row[5].integer() == 0)
            world_.sometimes("a partition runs while nobody owns its execution");
        else if (runs_elsewhere)
            world_.sometimes("a partition runs elsewhere than its execution");
        const auto [before, is_new] = partitions_.try_emplace(key, now);
        if (is_new) continue;
        partition_changed(key, before->second, now);
        before->second = now;
    }
}

/// Its owner leaves of itself, or somebody has proof of its death, or the execution ends or rests without it.
void Ledger::partition_changed(const PartitionKey& partition, const SeenPartition& before,
                               const SeenPartition& now) const {
    if (before.owner == now.owner) {
        if (!now.owner.empty() && now.epoch != before.epoch)
            throw Violation(fmt::format("the epoch of {} went from {} to {} under its owner", shown(partition),
                                        before.epoch, now.epoch));
        return;
    }
    if (!now.owner.empty() && now.epoch <= before.epoch)
        throw Violation(fmt::format("{} has another owner under the same epoch {}", shown(partition), now.epoch));
    if (before.owner.empty()) return;
    // What was PAUSING when its owner died comes to rest with all that it has, and may be resumed in the same verb.
    const bool rested = before.execution == BatchStatus::pausing && now.execution_epoch > before.execution_epoch;
    const bool is_over = has_ended(now.execution) || now.execution == BatchStatus::paused || rested;
    if (left_partitions_.contains(partition) || is_known_dead(before.owner)) return;
    if (!is_over)
        throw Violation(fmt::format("{} was taken from an owner that nobody had proof against", shown(partition)));
    world_.sometimes("an execution was ended or rested without the owner of a partition");
}

/// What a partition says it has done in a StepExecution is what was done in it.
void Ledger::partition_counts() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT x.step_execution_id, x.partition, x.commits, x.read, (SELECT COUNT(*) FROM sim_chunk c WHERE "
        "c.execution = x.step_execution_id AND c.partition = x.partition + 1) AS done FROM partition_execution x WHERE "
        "x.ended IS NOT NULL AND (x.commits <> done OR x.read <> done * $1) LIMIT 1",
        {Value(items_a_chunk)});
    if (rows.empty()) return;
    throw Violation(fmt::format("{} says {} chunks and {} items, but has done {} chunks",
                                shown({StepExecutionId(rows[0][0].integer()), rows[0][1].integer()}),
                                rows[0][2].integer(), rows[0][3].integer(), rows[0][4].integer()));
}

}  // namespace fermata::simulation
