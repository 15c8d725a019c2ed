// What workers that serve do to executions: claim those that wait, let go of those they do not know.
#include "corpses.hpp"
#include "impl.hpp"
#include "journal.hpp"
#include "lease.hpp"
#include "pauses.hpp"

#include <fermata/base/point.hpp>

#include <algorithm>

namespace fermata {
namespace {

constexpr std::string_view waiting =
    "FROM worker w JOIN worker_job j ON j.worker = w.id JOIN job_execution e ON e.job_name = j.job_name AND "
    "e.status = 'STARTING' AND e.owner IS NULL JOIN job_instance i ON i.id = e.instance_id AND "
    "i.definition_hash = j.definition_hash WHERE w.id = $1 AND w.draining = 0";

// Asked before a transaction where that would keep others waiting. A worker whose row is gone is told so there.
bool anything_to_do(Store& store, const Worker& worker) {
    static const std::string sql = fmt::format(
        "SELECT CASE WHEN EXISTS (SELECT 1 {}) OR NOT EXISTS (SELECT 1 FROM worker g WHERE g.id = $1) THEN 1 "
        "ELSE 0 END",
        waiting);
    return store.select(sql, {Value(worker.record().id)})[0][0].integer() == 1;
}

constexpr std::size_t places = 20;

constexpr std::string_view claimed_columns =
    "e.id, e.instance_id, i.uuid, e.epoch + 1 AS next_epoch, CASE WHEN e.started IS NULL THEN 0 ELSE 1 END AS begun, "
    "CASE WHEN e.rests > 0 THEN 1 ELSE 0 END AS rested, e.accept_sink, e.accept_input";

// Of each job no more than can be claimed: a server that looks for the oldest of all in one join reads all that wait.
// Rows that others claim at this instant are passed over, so that workers do not wait for each other.
std::string lock_waiting_sql(const sql::Dialect& dialect) {
    if (dialect.for_update.empty()) return fmt::format("SELECT {} {} ORDER BY e.id LIMIT $2", claimed_columns, waiting);
    return fmt::format(
        "SELECT o.* FROM worker w JOIN worker_job j ON j.worker = w.id CROSS JOIN LATERAL (SELECT {} FROM "
        "job_execution e JOIN job_instance i ON i.id = e.instance_id AND i.definition_hash = j.definition_hash WHERE "
        "e.job_name = j.job_name AND e.status = 'STARTING' AND e.owner IS NULL ORDER BY e.id LIMIT $2{} OF e SKIP "
        "LOCKED) o WHERE w.id = $1 AND w.draining = 0 ORDER BY o.id LIMIT $2",
        claimed_columns, dialect.for_update);
}

// And the row of the worker, in the same round trip.
std::vector<ClaimedExecution> lock_waiting(StoreWrite& write, const Worker& worker, std::int64_t most) {
    const std::string sql = lock_waiting_sql(write.dialect());
    const std::string lock = lock_worker_sql(write.dialect());
    const Value id(worker.record().id);
    const sql::Command both[] = {{sql, {id, Value(most)}}, {lock, {id}}};
    const std::vector<sql::Result> rows = write->execute_all(both);
    const auto read = [](std::span<const Value> cells) {
        RowReader row(cells);
        ClaimedExecution one;
        one.claim.execution = JobExecutionId(row.integer());
        one.claim.instance = JobInstanceId(row.integer());
        one.claim.instance_uuid = row.text();
        one.claim.epoch = row.integer();
        one.adopted = row.flag();
        one.begun = row.flag();
        one.accept_sink = row.flag();
        one.accept_input = row.flag();
        return one;
    };
    require_locked(rows[1], worker);
    return read_all(rows[0], read);
}

// So many places that the text is always the same.
const std::string& own_sql() {
    static const std::string sql = [] {
        std::string numbers;
        for (std::size_t i = 0; i < places; ++i) numbers += fmt::format("{}${}", i == 0 ? "" : ", ", i + 3);
        return fmt::format(
            "UPDATE job_execution SET status = 'STARTED', owner = $1, epoch = epoch + 1, updated = $2, started = "
            "COALESCE(started, $2) WHERE id IN ({}) AND status = 'STARTING' AND owner IS NULL",
            numbers);
    }();
    return sql;
}

sql::Command own_some(std::span<const ClaimedExecution> claimed, const Worker& worker, Timestamp now) {
    sql::Command command{own_sql(), {Value(worker.record().id), cell(now)}, static_cast<std::int64_t>(claimed.size())};
    for (const ClaimedExecution& one : claimed) command.params.emplace_back(one.claim.execution.value());
    while (command.params.size() < places + 2) command.params.emplace_back(-1);
    return command;
}

std::vector<sql::Command> own(std::span<const ClaimedExecution> left, const Worker& worker, Timestamp now) {
    std::vector<sql::Command> owned;
    while (!left.empty()) {
        const std::size_t some = std::min(left.size(), places);
        owned.push_back(own_some(left.first(some), worker, now));
        left = left.subspan(some);
    }
    return owned;
}

/// What the journal says of each; lives until it is written.
class Claims {
public:
    Claims(const std::vector<ClaimedExecution>& claimed, const Worker& worker, const std::string& actor,
           Timestamp now) {
        events_.reserve(claimed.size());
        for (const ClaimedExecution& one : claimed)
            events_.push_back(
                {.at = now,
                 .execution = one.claim.execution,
                 .kind = "execution.claimed",
                 .actor = actor,
                 .data = facts({{"epoch", one.claim.epoch}, {"worker", std::string_view(worker.record().name)}})});
    }
    void append_to(std::vector<sql::Command>& commands) const {
        for (const Event& event : events_) commands.push_back(journal(event));
    }

private:
    std::vector<Event> events_;
};

// The whole claim was committed, or nothing of it.
bool owns_first(StoreWrite& look, const std::vector<ClaimedExecution>& claimed, const Worker& worker) {
    if (claimed.empty()) return false;
    const Claim& first = claimed.front().claim;
    const Standing now = locked_standing_of(look, first.execution);
    return now.epoch == first.epoch && now.owner && now.owner->id == worker.record().id;
}

std::vector<JobExecutionId> owned_by(sql::Connection& connection, const Worker& worker) {
    const sql::Result rows =
        connection.execute("SELECT id FROM job_execution WHERE owner = $1 ORDER BY id", {Value(worker.record().id)});
    std::vector<JobExecutionId> owned;
    for (std::size_t i = 0; i < rows.size(); ++i) owned.emplace_back(rows[i][0].integer());
    return owned;
}

void add_lost(sql::Connection& connection, const Corpse& corpse, const Worker& finder,
              std::vector<LostExecution>& lost) {
    const sql::Result rows = connection.execute(
        "SELECT e.id, e.status FROM job_execution e JOIN job_instance i ON i.id = e.instance_id JOIN worker_job j "
        "ON j.worker = $2 AND j.job_name = e.job_name AND j.definition_hash = i.definition_hash WHERE e.owner = $1 "
        "ORDER BY e.id",
        {Value(corpse.worker.id), Value(finder.record().id)});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const JobExecutionId id(row.integer());
        lost.push_back({id, row.status(), corpse.worker, corpse.served});
    }
}

// False if it is the worker's no more.
bool disown(StoreWrite& write, JobExecutionId execution, const Worker& worker, const std::string& actor) {
    Standing standing = locked_standing_of(write, execution);
    if (!standing.owner || standing.owner->id != worker.record().id) return false;
    standing.owner.reset();  // it lives: its row stays
    let_go_lost(write, standing, fmt::format("worker {} does not run it", worker.record().name), actor);
    FERMATA_POINT("disown.before-commit");
    write.commit();
    return true;
}

}  // namespace

std::vector<ClaimedExecution> Repository::claim_waiting(const Worker& worker, std::int64_t most,
                                                        const std::string& actor) {
    std::vector<ClaimedExecution> claimed;
    if (most < 1) return {};
    if (!impl_->database.dialect().concurrent_writers && !anything_to_do(*impl_, worker)) return {};
    impl_->transact(
        [&](StoreWrite& write) {
            claimed = lock_waiting(write, worker, most);
            if (claimed.empty()) return;
            const Claims claims(claimed, worker, actor, write.now());
            std::vector<sql::Command> last = own(claimed, worker, write.now());
            claims.append_to(last);
            FERMATA_POINT("claim.before-commit");
            write.commit(last);
            FERMATA_POINT("claim.after-commit");
        },
        [&](StoreWrite& look) { return owns_first(look, claimed, worker); });
    return claimed;
}

std::vector<LostExecution> Repository::lost_executions(const Worker& worker) {
    if (impl_->database.dialect().concurrent_writers) declare_dead(*impl_, worker.record().id);
    return impl_->read([&](sql::Connection& connection) {
        std::vector<LostExecution> lost;
        for (const Corpse& corpse : corpses(connection, worker, of_an_execution, data_folder_)) {
            add_lost(connection, corpse, worker, lost);
            if (corpse.worker.declared_dead) end_sessions(connection, corpse.worker.id);
        }
        return lost;
    });
}

std::vector<JobExecutionId> Repository::disown_unknown(const Worker& worker, std::span<const JobExecutionId> known,
                                                       const std::string& actor) {
    std::vector<JobExecutionId> disowned;
    for (const JobExecutionId id : impl_->read([&](sql::Connection& c) { return owned_by(c, worker); })) {
        if (std::ranges::find(known, id) != known.end()) continue;
        bool done = false;
        // In doubt it is looked at once more: then it is the worker's no more.
        impl_->transact([&](StoreWrite& write) { done = disown(write, id, worker, actor); });
        if (done) disowned.push_back(id);
    }
    return disowned;
}

}  // namespace fermata
