// What workers that serve do to executions: claim those that wait, let go of those they do not know.
#include "corpses.hpp"
#include "execution_row.hpp"
#include "impl.hpp"
#include "journal.hpp"
#include "lease.hpp"
#include "pauses.hpp"
#include "what_waits.hpp"

#include <fermata/base/point.hpp>
#include <fermata/sql/early_commit.hpp>

#include <algorithm>
#include <utility>

namespace fermata {
namespace {

// Asked before a transaction where that would keep others waiting. A worker whose row is gone is told so there.
bool anything_to_do(Store& store, const Worker& worker) {
    static const std::string sql = fmt::format(
        "SELECT CASE WHEN EXISTS (SELECT 1 {}) OR NOT EXISTS (SELECT 1 FROM worker g WHERE g.id = $1) THEN 1 "
        "ELSE 0 END",
        executions_for("$1"));
    return store.select(sql, {Value(worker.record().id)})[0][0].integer() == 1;
}

// Whether it was begun by an owner before, and whether that let it rest.
constexpr std::string_view its_past =
    "CASE WHEN e.started IS NULL THEN 0 ELSE 1 END AS begun, CASE WHEN e.rests > 0 THEN 1 ELSE 0 END AS rested";

// The same of one that was claimed at the instant $2.
constexpr std::string_view past_of_claimed =
    "CASE WHEN e.started = $2 THEN 0 ELSE 1 END, CASE WHEN e.rests > 0 THEN 1 ELSE 0 END";

constexpr std::string_view kind = "execution.claimed";

std::string claim_facts(std::int64_t epoch, const Worker& worker) {
    return facts({{"epoch", epoch}, {"worker", std::string_view(worker.record().name)}});
}

// --- in a file: found, then taken, while everybody else waits

constexpr std::size_t places = 20;

std::vector<ClaimedExecution> find_waiting(StoreWrite& write, const Worker& worker, std::int64_t most) {
    static const std::string sql = fmt::format(
        "SELECT e.id, e.instance_id, i.uuid, e.epoch + 1 AS next_epoch, {}, e.accept_sink, e.accept_input {} ORDER BY "
        "e.id LIMIT $2",
        its_past, executions_for("$1"));
    const sql::Result rows = write->execute(sql, {Value(worker.record().id), Value(most)});
    lock_worker(write, worker);
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
    return read_all(rows, read);
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
            events_.push_back({.at = now,
                               .execution = one.claim.execution,
                               .kind = std::string(kind),
                               .actor = actor,
                               .data = claim_facts(one.claim.epoch, worker)});
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

std::vector<ClaimedExecution> claim_in_file(Store& store, const Worker& worker, std::int64_t most,
                                            const std::string& actor) {
    std::vector<ClaimedExecution> claimed;
    if (!anything_to_do(store, worker)) return {};
    store.transact(
        [&](StoreWrite& write) {
            claimed = find_waiting(write, worker, most);
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

// --- on a server: found, taken and told in one statement, in one round trip

/// One claim, and its texts for as long as it is tried.
class ClaimAtOnce {
public:
    /// The oldest that wait.
    ClaimAtOnce(const Worker& worker, std::int64_t most, const std::string& actor)
        : worker_(worker), most_(most), actor_(actor) {}
    /// This one. Others may claim it at the same time: all but one find nothing, a moment later.
    ClaimAtOnce(const Worker& worker, JobExecutionId only, const std::string& actor)
        : worker_(worker), only_(only), actor_(actor) {}
    ClaimedTogether made(Store& store) {
        ConnectionPool::Lease lease =
            store.transact([&](StoreWrite& write) { make(write); }, [&](StoreWrite& look) { return was_made(look); });
        if (claimed_.empty()) return {};
        return {std::move(claimed_), OnDisk(std::make_unique<OnDisk::Commit>(std::move(lease)))};
    }

private:
    // Of each job no more than can be claimed: a server that looks for the oldest of all in one join reads all that
    // wait. Rows that others claim at this instant are passed over, so that workers do not wait for each other. `most`
    // as a parameter would have the server make a new plan each time.
    static std::string found_sql(std::int64_t most) {
        return fmt::format(
            "SELECT o.* FROM worker w JOIN worker_job j ON j.worker = w.id CROSS JOIN LATERAL (SELECT e.id, i.uuid, "
            "{0} FROM job_execution e JOIN job_instance i ON i.id = e.instance_id AND i.definition_hash = "
            "j.definition_hash WHERE e.job_name = j.job_name AND e.status = 'STARTING' AND e.owner IS NULL ORDER BY "
            "e.id LIMIT {1} FOR UPDATE OF e SKIP LOCKED) o WHERE w.id = $1 AND w.dead = 0 AND w.draining = 0 ORDER BY "
            "o.id LIMIT {1}",
            its_past, most);
    }
    // COALESCE: the index of what waits, where the row was found, would be read whole.
    static constexpr std::string_view own_sql =
        "UPDATE job_execution e SET status = 'STARTED', owner = $1, epoch = e.epoch + 1, updated = $2, started = "
        "COALESCE(e.started, $2)";
    static constexpr std::string_view still_waits_sql = "e.status = 'STARTING' AND COALESCE(e.owner, 0) = 0";
    static std::string taken_sql() {
        return fmt::format(
            "{} FROM found f WHERE e.id = f.id AND {} RETURNING f.uuid, f.begun, f.rested, e.accept_sink, "
            "e.accept_input, {}",
            own_sql, still_waits_sql, execution_columns);
    }
    // Cheaper than to look for what waits.
    static std::string only_sql(std::string_view more) {
        return fmt::format(
            "WITH taken AS ({} WHERE e.id = $6 AND {} AND EXISTS (SELECT 1 FROM worker w WHERE w.id = $1 AND w.dead = "
            "0) RETURNING (SELECT i.uuid FROM job_instance i WHERE i.id = e.instance_id) AS uuid, {}, e.accept_sink, "
            "e.accept_input, {}), told AS ({}) SELECT t.*{} FROM taken t",
            own_sql, still_waits_sql, past_of_claimed, execution_columns, told_sql(), more);
    }
    static std::string told_sql() {
        return fmt::format(
            "INSERT INTO event (at, execution_id, kind, actor, data) SELECT $2, id, '{}', CAST($3 AS TEXT), CAST($4 AS "
            "TEXT) || epoch || CAST($5 AS TEXT) FROM taken ORDER BY id",
            kind);
    }
    // No row if the worker is not known to be alive; nulls if nothing was claimed.
    static std::string claim_sql(std::int64_t most, std::string_view more) {
        return fmt::format(
            "WITH found AS MATERIALIZED ({}), taken AS ({}), told AS ({}) SELECT t.*{} FROM worker w LEFT JOIN taken t "
            "ON TRUE WHERE w.id = $1 AND w.dead = 0 ORDER BY t.id",
            found_sql(most), taken_sql(), told_sql(), more);
    }
    void make(StoreWrite& write) {
        at_ = write.now();
        sql_ = only_ ? only_sql(write.early_column()) : claim_sql(most_, write.early_column());
        sql::Command last[] = {{sql_,
                                {Value(worker_.record().id), cell(at_), cell(actor_), cell(around_epoch_.first),
                                 cell(around_epoch_.second)}}};
        if (only_) last[0].params.emplace_back(only_->value());
        FERMATA_POINT("claim.before-commit");
        try {
            take(write.commit_early(last).front());
        } catch (const ConstraintError&) {
            throw taken_for_dead(worker_);  // its row went meanwhile
        }
        if (claimed_.empty()) return;
        write.send_to_disk();
        FERMATA_POINT("claim.after-commit");
    }
    void take(const sql::Result& rows) {
        if (rows.empty() && !only_) throw taken_for_dead(worker_);
        const bool is_any = !rows.empty() && !rows[0][0].is_null();
        if (is_any) claimed_ = read_all(rows, [&](std::span<const Value> cells) { return read(cells); });
    }
    // By what the journal says of it: its answer was lost.
    bool was_made(StoreWrite& look) {
        static const std::string sql = fmt::format(
            "SELECT i.uuid, {}, e.accept_sink, e.accept_input, {} FROM job_execution e JOIN job_instance i ON i.id = "
            "e.instance_id WHERE "
            "e.owner = $1 AND EXISTS (SELECT 1 FROM event v WHERE v.execution_id = e.id AND v.kind = '{}' AND v.at = "
            "$2) ORDER BY e.id FOR UPDATE OF e",
            past_of_claimed, execution_columns, kind);
        claimed_ = read_all(look->execute(sql, {Value(worker_.record().id), cell(at_)}),
                            [&](std::span<const Value> cells) { return read(cells); });
        if (claimed_.empty()) return false;
        look.commit_early();
        look.send_to_disk();  // it may not be there yet
        return true;
    }
    ClaimedExecution read(std::span<const Value> cells) const {
        RowReader row(cells);
        ClaimedExecution one;
        one.claim.instance_uuid = row.text();
        one.adopted = row.flag();
        one.begun = row.flag();
        one.accept_sink = row.flag();
        one.accept_input = row.flag();
        one.execution = read_execution_of(worker_, row);
        one.claim.execution = one.execution.id;
        one.claim.instance = one.execution.instance_id;
        one.claim.epoch = one.execution.epoch;
        return one;
    }

    const Worker& worker_;
    const std::int64_t most_ = 1;
    const std::optional<JobExecutionId> only_;
    const std::string& actor_;
    const std::pair<std::string, std::string> around_epoch_ = around_number("epoch", claim_facts(0, worker_));
    std::string sql_;
    Timestamp at_;
    std::vector<ClaimedExecution> claimed_;
};

}  // namespace

struct OnDisk::Commit {
    explicit Commit(ConnectionPool::Lease its_lease) : lease(std::move(its_lease)) {}
    ConnectionPool::Lease lease;
    bool is_lost = false;
};

OnDisk::OnDisk() = default;
OnDisk::OnDisk(std::unique_ptr<Commit> commit) : commit_(std::move(commit)) {}
OnDisk::OnDisk(OnDisk&&) noexcept = default;
OnDisk::~OnDisk() = default;

void OnDisk::wait() {
    if (!commit_) return;
    sql::EarlyCommit* const early = sql::early_commit_of(*commit_->lease);
    if (std::exchange(commit_->is_lost, true))
        throw Error(ErrorKind::failed, "the database may have lost what was claimed just now",
                    "nothing was begun; whoever looks next finds how it stands");
    if (early != nullptr) early->wait_for_disk();
    commit_.reset();
}

namespace {

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
    ClaimedTogether claimed = claim_early(worker, most, actor);
    claimed.on_disk.wait();
    return std::move(claimed.executions);
}

ClaimedTogether Repository::claim_early(const Worker& worker, std::int64_t most, const std::string& actor) {
    if (most < 1) return {};
    if (!impl_->database.dialect().for_update.empty()) return ClaimAtOnce(worker, most, actor).made(*impl_);
    std::vector<ClaimedExecution> claimed = claim_in_file(*impl_, worker, most, actor);
    for (ClaimedExecution& one : claimed) one.execution = find_execution(one.claim.execution).value();
    return {std::move(claimed), {}};
}

ClaimedTogether Repository::claim_offered(const Worker& worker, const Offer& offer, const std::string& actor) {
    if (impl_->database.dialect().for_update.empty()) return claim_early(worker, 1, actor);
    return ClaimAtOnce(worker, offer.execution, actor).made(*impl_);
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
