#include "ledger.hpp"

#include <algorithm>

namespace fermata::simulation {
namespace {

BatchStatus status_of(const Value& cell) { return parse_batch_status(cell.text()).value(); }

bool is_frozen(BatchStatus status) { return has_ended(status) && status != BatchStatus::abandoned; }

// What may follow what, as seen from outside, where several verbs may lie between two looks.
bool may_become(BatchStatus from, BatchStatus to) {
    if (from == to) return true;
    if (is_frozen(from)) return to == BatchStatus::abandoned;
    if (from == BatchStatus::abandoned) return false;
    if (from == BatchStatus::stopping)  // a stop is never lost
        return has_ended(to);
    return true;
}

}  // namespace

Holding Ledger::holding(JobExecutionId execution) {
    const sql::Result row = world_.store.watcher().execute(
        "SELECT e.epoch, e.status, COALESCE(w.incarnation, '') FROM job_execution e LEFT JOIN worker w ON "
        "w.id = e.owner WHERE e.id = $1",
        {Value(execution.value())});
    if (row.empty()) return {};
    return {row[0][0].integer(), status_of(row[0][1]), std::string(row[0][2].text())};
}

std::vector<JobExecutionId> Ledger::owned_by(const Worker& worker) {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT e.id FROM job_execution e JOIN worker w ON w.id = e.owner WHERE w.incarnation = $1 ORDER BY e.id",
        {Value(std::string_view(worker.record().incarnation))});
    std::vector<JobExecutionId> owned;
    for (std::size_t i = 0; i < rows.size(); ++i) owned.emplace_back(rows[i][0].integer());
    return owned;
}

Holding Ledger::holding(const Owned& owned) {
    return owned.is_partition() ? partition_holding(owned) : holding(owned.claim.execution);
}

void Ledger::granted(const Owned& owned, const Worker& worker) {
    std::int64_t& newest = newest_grant_[owned.lasting_name()];
    if (owned.epoch <= newest)
        throw Violation(
            fmt::format("{} was given away under epoch {} after epoch {}", owned.shown(), owned.epoch, newest));
    newest = owned.epoch;
    const Holding after = holding(owned);
    const bool is_its = after.owner == worker.record().incarnation;
    if (after.epoch != owned.epoch || !is_its)
        throw Violation(fmt::format("{} was given away under epoch {}, but its row says epoch {}{}", owned.shown(),
                                    owned.epoch, after.epoch, is_its ? "" : " and another owner"));
    if (owned.is_partition()) may_be_claimed(owned);
}

void Ledger::acted(std::string_view verb, const Owned& owned, const Worker& worker, const Holding& before) {
    if (before.epoch == owned.epoch && before.owner == worker.record().incarnation && before.runs()) return;
    throw Violation(fmt::format("{} with epoch {} of {} succeeded, but it was {} under epoch {}{}", verb, owned.epoch,
                                owned.shown(), to_string(before.status), before.epoch,
                                before.owner == worker.record().incarnation ? "" : " and another's"));
}

void Ledger::fenced(std::string_view verb, const Owned& owned, const Worker& worker, const Holding& before) {
    world_.sometimes("an owner's verb was refused");
    if (verb == "commit")
        world_.sometimes(owned.is_partition() ? "a zombie's chunk of a partition was refused"
                                              : "a zombie's chunk was refused");
    if (before.epoch != owned.epoch || before.owner != worker.record().incarnation || !before.runs()) return;
    if (verb == opens_pause && holding(owned.claim.execution).owner.empty())
        return world_.sometimes("a partition could not open a pause in what nobody owned");
    throw Violation(fmt::format("{} of {} was refused to its owner (epoch {})", verb, owned.shown(), owned.epoch));
}

void Ledger::stop_accepted(JobExecutionId execution) {
    const BatchStatus now = holding(execution).status;
    if (now != BatchStatus::stopping && !has_ended(now))
        throw Violation(
            fmt::format("a stop of execution {} was accepted, but it is {}", execution.value(), to_string(now)));
}

void Ledger::signal_answered(JobExecutionId execution, const SignalRequest& request, const SignalAnswer& answer) {
    using Disposition = SignalAnswer::Disposition;
    const std::tuple key(execution.value(), request.point, request.key.value_or(""));
    const auto before = sent_.find(key);
    const bool acts = answer.disposition == Disposition::applied || answer.disposition == Disposition::counted ||
                      answer.disposition == Disposition::buffered;
    if (acts && before != sent_.end())
        throw Violation(fmt::format("signal {} to \"{}\" of execution {} acted twice: first {}, now {}", *request.key,
                                    request.point, execution.value(), to_string(before->second.first),
                                    to_string(answer.disposition)));
    if (acts) sent_[key] = {answer.disposition, answer.pause};
    if (answer.disposition != Disposition::duplicate || before == sent_.end()) return;
    if (answer.first != before->second.first)
        throw Violation(fmt::format(
            "signal {} to \"{}\" of execution {} was first answered {}, and is said to have been {}", *request.key,
            request.point, execution.value(), to_string(before->second.first), to_string(*answer.first)));
}

void Ledger::received(JobExecutionId execution, std::int64_t pause, const std::vector<Signal>& signals) {
    for (const auto& [key, sent] : sent_) {
        const auto& [id, point, name] = key;
        if (id != execution.value() || sent.pause != pause) continue;
        if (std::ranges::none_of(signals, [&](const Signal& s) { return s.key == name && s.point == point; }))
            throw Violation(
                fmt::format("the step behind pause {} of execution {} did not get signal {}", pause, id, name));
    }
}

// --- looks

void Ledger::after_event() {
    const std::int64_t version = world_.store.watcher().execute("PRAGMA data_version")[0][0].integer();
    if (std::exchange(version_, version) != version) {
        if (world_.weather.is_server) deaths();
        executions();
        partitions();
        progress();
        pauses();
    }
    left_.clear();
    left_partitions_.clear();
}

void Ledger::executions() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT e.id, e.status, e.epoch, COALESCE(w.incarnation, '') FROM job_execution e LEFT JOIN worker w ON "
        "w.id = e.owner");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::int64_t id = rows[i][0].integer();
        const SeenExecution now{status_of(rows[i][1]), rows[i][2].integer(), std::string(rows[i][3].text())};
        const auto [before, is_new] = executions_.try_emplace(id, now);
        if (is_new) continue;
        if (!may_become(before->second.status, now.status))
            throw Violation(fmt::format("execution {} was {} and is {}", id, to_string(before->second.status),
                                        to_string(now.status)));
        if (now.epoch < before->second.epoch)
            throw Violation(
                fmt::format("the epoch of execution {} fell from {} to {}", id, before->second.epoch, now.epoch));
        owner_changed(id, before->second, now);
        before->second = now;
    }
}

/// An owner leaves of itself, or somebody has proof of its death; and the next one has another epoch.
void Ledger::owner_changed(std::int64_t execution, const SeenExecution& before, const SeenExecution& now) const {
    if (before.owner == now.owner) return;
    if (!now.owner.empty() && now.epoch == before.epoch)
        throw Violation(fmt::format("execution {} has another owner under the same epoch {}", execution, now.epoch));
    if (before.owner.empty() || left_.contains(execution) || is_known_dead(before.owner)) return;
    throw Violation(fmt::format("execution {} was taken from an owner that nobody had proof against", execution));
}

void Ledger::progress() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT instance_id, step, partition, status, epoch, generation, sequence FROM step_progress");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        const std::tuple key(row[0].integer(), std::string(row[1].text()), row[2].integer());
        const SeenProgress now{status_of(row[3]), row[4].integer(), row[5].integer(), row[6].integer()};
        const auto [before, is_new] = progress_.try_emplace(key, now);
        const SeenProgress was = before->second;
        const auto where = [&] {
            return fmt::format("step {} of instance {}, partition {}", std::get<1>(key), std::get<0>(key),
                               std::get<2>(key));
        };
        if (was.status == BatchStatus::completed && now.status != BatchStatus::completed)
            throw Violation(where() + " was COMPLETED and runs again");
        if (now.epoch < was.epoch) throw Violation(where() + ": its epoch fell");
        if (std::pair(now.generation, now.sequence) < std::pair(was.generation, was.sequence))
            throw Violation(where() + ": its progress went back");
        before->second = now;
    }
}

void Ledger::pauses() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT execution_id, epoch, how || ' ' || completed_by || ' ' || completed || ' ' || counted FROM pause WHERE "
        "completed IS NOT NULL");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::pair key(rows[i][0].integer(), rows[i][1].integer());
        const auto [before, is_new] = completed_.try_emplace(key, rows[i][2].text());
        if (before->second != rows[i][2].text())
            throw Violation(fmt::format("pause {} of execution {} was completed twice: {}, then {}", key.second,
                                        key.first, before->second, rows[i][2].text()));
    }
    if (rows.size() != completed_.size()) throw Violation("a pause that was complete is open again");
}

/// Who finds a dead worker may declare it, take its partitions and delete its row at once.
void Ledger::deaths() {
    const sql::Result rows = world_.store.watcher().execute("SELECT incarnation, dead FROM worker");
    std::set<std::string> there;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const std::string& incarnation = *there.emplace(rows[i][0].text()).first;
        if (rows[i][1].integer() == 1) declared(incarnation);
    }
    for (const std::string& incarnation : there_)
        if (!there.contains(incarnation) && trust_.contains(incarnation) && !retired_.contains(incarnation) &&
            !is_known_dead(incarnation))
            declared(incarnation);
    there_ = std::move(there);
}

/// Where the database's clock runs as all others, nobody is declared dead who still trusts his lease.
void Ledger::declared(const std::string& incarnation) {
    if (!declared_.insert(incarnation).second) return;
    world_.sometimes("a worker was declared dead");
    if (world_.weather.database_clock_step > 0) return;
    if (const auto trust = trust_.find(incarnation); trust != trust_.end() && trust->second > world_.micros())
        throw Violation("a worker was declared dead that trusts its lease");
    if (world_.database_micros() - world_.server_started() < 18 * second)
        throw Violation("a worker was declared dead right after the server was started");
}

void Ledger::all() {
    const World::Silence silence(world_);
    after_event();
    Repository& store = world_.on(*world_.hosts.front());
    std::vector<std::string> findings = store.verify();
    // A guard that a test of the tests has dropped is not what is to be noticed.
    if (!world_.store.texts().mutant().script.empty())
        std::erase_if(findings, [](const std::string& finding) { return finding.ends_with(" is missing"); });
    if (!findings.empty()) throw Violation("verify: " + findings.front());
    chunks();
    complete_steps();
    partition_counts();
    waiting_signals();
    sent_signals();
}

/// Each chunk goes on where the last one ended, and no older owner's comes after a newer one's.
void Ledger::chunks() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT instance, step, partition, id, sequence, epoch, first, last FROM (SELECT c.*, "
        "COALESCE(LAG(last) OVER w, 0) AS end, COALESCE(LAG(sequence) OVER w, 0) AS place, "
        "COALESCE(LAG(epoch) OVER w, 0) AS newest FROM sim_chunk c WINDOW w AS (PARTITION BY instance, step, partition "
        "ORDER BY id)) WHERE first <> end OR sequence <> place + 1 OR epoch < newest LIMIT 1");
    if (rows.empty()) return;
    throw Violation(
        fmt::format("step {} of instance {}, partition {}: chunk {} has items {} to {} under epoch {}, which "
                    "does not go on where the one before it ended",
                    rows[0][1].text(), rows[0][0].integer(), rows[0][2].integer(), rows[0][4].integer(),
                    rows[0][6].integer(), rows[0][7].integer(), rows[0][5].integer()));
}

/// What says that it is COMPLETED has written all its items, unless it was cut short.
void Ledger::complete_steps() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT i.job_name, p.instance_id, p.step, p.partition, COALESCE((SELECT MAX(c.last) FROM sim_chunk c WHERE "
        "c.instance = p.instance_id AND c.step = p.step AND c.partition = p.partition), 0) FROM step_progress p JOIN "
        "job_instance i ON i.id = p.instance_id WHERE p.status = 'COMPLETED' AND NOT EXISTS (SELECT 1 FROM "
        "job_execution e JOIN step_execution s ON s.execution_id = e.id WHERE e.instance_id = p.instance_id AND "
        "s.step = p.step AND s.cut_by IS NOT NULL)");
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        const Step& step = world_.jobs.at(std::string(row[0].text())).step(row[2].text());
        const bool has_items = step.partitions.has_value() == (row[3].integer() > 0);
        const std::int64_t wanted = has_items ? step.chunks * items_a_chunk : 0;
        if (row[4].integer() != wanted)
            throw Violation(fmt::format("step {} of instance {}, partition {}, is COMPLETED with {} of {} items",
                                        row[2].text(), row[1].integer(), row[3].integer(), row[4].integer(), wanted));
    }
}

/// A signal and a pause that wait for each other would do so for ever.
void Ledger::waiting_signals() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT p.execution_id, p.epoch FROM pause p JOIN signal s ON s.execution_id = p.execution_id AND "
        "s.point = p.point WHERE p.completed IS NULL AND s.answer = 'buffered' AND s.pause IS NULL LIMIT 1");
    if (!rows.empty())
        throw Violation(fmt::format("pause {} of execution {} waits for a signal that waits for it",
                                    rows[0][1].integer(), rows[0][0].integer()));
}

void Ledger::sent_signals() {
    for (const auto& [key, sent] : sent_) {
        const auto& [execution, point, name] = key;
        const sql::Result rows = world_.store.watcher().execute(
            "SELECT COUNT(*) FROM signal WHERE execution_id = $1 AND point = $2 AND signal_key = $3",
            {Value(execution), Value(std::string_view(point)), Value(std::string_view(name))});
        if (rows[0][0].integer() != 1)
            throw Violation(fmt::format("signal {} to \"{}\" of execution {} is there {} times", name, point, execution,
                                        rows[0][0].integer()));
    }
}

std::string Ledger::unfinished() {
    const sql::Result rows = world_.store.watcher().execute(
        "SELECT id, status FROM job_execution WHERE status NOT IN ('COMPLETED', 'STOPPED', 'FAILED', 'ABANDONED')");
    std::string text;
    for (std::size_t i = 0; i < rows.size(); ++i)
        text += fmt::format("{}{} {}", text.empty() ? "" : ", ", rows[i][0].integer(), rows[i][1].text());
    return text;
}

}  // namespace fermata::simulation
