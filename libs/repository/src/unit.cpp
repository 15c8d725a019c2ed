// The chunk's commit, and what is saved between chunks.
#include "fence.hpp"
#include "journal.hpp"
#include "lone_chunk.hpp"
#include "saves.hpp"

#include <fermata/base/point.hpp>

#include <algorithm>

namespace fermata {
namespace {

struct Place {
    std::int64_t generation = 0;
    std::int64_t sequence = 0;
};

// What is committed of a step, once a commit that is still under way has ended. Throws as a fence does.
Place locked_place(StoreWrite& look, const StepClaim& claim) {
    const std::string sql = fmt::format(
        "SELECT epoch, generation, sequence FROM step_progress WHERE instance_id = $1 AND step = $2 AND "
        "partition = $3{}",
        look.dialect().for_update);
    const sql::Result found =
        look->execute(sql, {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition)});
    if (found.empty() || found[0][0].integer() != claim.epoch)
        throw sql::RowCountError("another owner entered the step");
    return {found[0][1].integer(), found[0][2].integer()};
}

// The connection was lost with the answer to COMMIT.
Requests verdict(Store& store, ConnectionPool::Lease lease, const StepClaim& claim, const Progress& next,
                 const sql::SqlError& lost) {
    std::optional<Requests> requests;
    const auto look_up = [&](StoreWrite& look) {
        const Place place = locked_place(look, claim);
        if (place.generation == next.generation && place.sequence == next.sequence)
            requests = requests_in(look->execute(ask(claim.execution)));
    };
    store.transact(look_up, {}, std::move(lease));
    if (!requests) throw sql::SqlError(lost);
    return *requests;
}

Timestamp instant_of(const Event& event, Timestamp now) { return event.at != Timestamp{} ? event.at : now; }

void insert_events(sql::Connection& connection, JobExecutionId execution, std::span<const Event> events,
                   Timestamp now) {
    constexpr std::size_t width = 5;
    sql::Params cells;
    cells.reserve(events.size() * width);
    for (const Event& event : events) {
        cells.insert(cells.end(), {cell(instant_of(event, now)), Value(execution.value()), cell(event.kind),
                                   cell(event.actor.empty() ? runtime_actor : event.actor),
                                   cell(event.data.empty() ? std::string_view("{}") : event.data)});
    }
    insert_rows(connection, "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ", width, cells);
}

// For verdicts. By what they tell, too, since a clock may stand still.
bool are_there(sql::Connection& connection, JobExecutionId execution, std::span<const Event> events, Timestamp now) {
    return std::ranges::all_of(events, [&](const Event& event) {
        return exists(connection, "SELECT 1 FROM event WHERE execution_id = $1 AND kind = $2 AND at = $3 AND data = $4",
                      {Value(execution.value()), cell(event.kind), cell(instant_of(event, now)),
                       cell(event.data.empty() ? std::string_view("{}") : event.data)});
    });
}

}  // namespace

struct Repository::Unit::Open {
    explicit Open(ConnectionPool::Lease its_lease, KnownRow* row_of_lane = nullptr)
        : lease(std::move(its_lease)), row(row_of_lane) {
        transaction.emplace(*lease);
    }
    /// With what was written and `more`.
    Requests save(const StepClaim& claim, const Progress& next, Timestamp now, std::span<const sql::Command> more,
                  std::int64_t writes, const sql::Dialect& dialect);
    Asked asked_after_commit(const StepClaim& claim, const Asked& before, const sql::Dialect& dialect);
    ConnectionPool::Lease lease;
    std::optional<sql::Transaction> transaction;
    bool is_used = false;  ///< something may have been written
    KnownRow* row;         ///< null: without a lane nothing is known, and with a file nothing is gained
};

Requests Repository::Unit::Open::save(const StepClaim& claim, const Progress& next, Timestamp now,
                                      std::span<const sql::Command> more, std::int64_t writes,
                                      const sql::Dialect& dialect) {
    std::optional<sql::Command> change;
    Asked before;
    if (row != nullptr) {
        change = row->change_to(claim, next, now, writes);
        if (change) before = row->asked();
        row->forget();
    }
    const bool is_same_row = change.has_value();
    std::vector<sql::Command> last;
    last.reserve(more.size() + 2);
    last.assign(more.begin(), more.end());
    last.push_back(is_same_row ? *std::move(change) : save_chunk(claim, next, now));
    last.push_back(is_same_row ? ask_whether_same(before, claim.execution, dialect)
                               : ask_anew(claim.execution, dialect));
    FERMATA_POINT("chunk.before-commit");
    const std::vector<sql::Result> results = transaction->commit(last);
    FERMATA_POINT("chunk.after-commit");
    Asked asked;
    if (!is_same_row)
        asked = asked_in(results.back(), dialect);
    else
        asked = is_same_in(results.back()) ? std::move(before) : asked_after_commit(claim, before, dialect);
    const Requests requests = asked.requests;
    if (row != nullptr) row->note(claim, next, std::move(asked), writes);
    return requests;
}

/// The chunk is committed: what keeps us from asking now is no failure of it, and the next one asks again.
Asked Repository::Unit::Open::asked_after_commit(const StepClaim& claim, const Asked& before,
                                                 const sql::Dialect& dialect) {
    try {
        return asked_in((*lease).execute(ask_anew(claim.execution, dialect)), dialect);
    } catch (const sql::SqlError&) {
        return {before.requests, {}};
    }
}

Repository::Unit::Unit(Repository& repository, std::unique_ptr<Open> open)
    : repository_(&repository), open_(std::move(open)) {}
Repository::Unit::Unit(Unit&&) noexcept = default;
Repository::Unit::~Unit() = default;

sql::Connection& Repository::Unit::connection() noexcept {
    open_->is_used = true;
    return *open_->lease;
}

Requests Repository::Unit::commit(const StepClaim& claim, const Progress& next, std::span<const sql::Command> more) {
    return as_owner(claim.execution, [&] {
        const Timestamp now = repository_->impl_->clock.now();
        const std::int64_t writes = repository_->impl_->progress_writes;
        const sql::Dialect& dialect = repository_->database().dialect();
        const bool alone = !open_->is_used && more.empty() && dialect.concurrent_writers;
        const auto save = [&] {
            if (!alone) return open_->save(claim, next, now, more, writes, dialect);
            open_->transaction.reset();
            return LoneChunk(claim, next, now, dialect).save(*open_->lease, open_->row, writes);
        };
        try {
            return save();
        } catch (const sql::SqlError& error) {
            if (error.sql_kind() != sql::SqlError::Kind::lost) throw;
            ConnectionPool::Lease lease = std::move(open_->lease);
            open_.reset();
            return verdict(*repository_->impl_, std::move(lease), claim, next, error);
        }
    });
}

struct Repository::Lane::Kept {
    Kept(ConnectionPool& pool, const sql::Dialect& dialect) : lane(pool), row(dialect) {}
    ConnectionPool::Lane lane;
    KnownRow row;
};

Repository::Lane::Lane(std::unique_ptr<Kept> kept) : kept_(std::move(kept)) {}
Repository::Lane::Lane(Lane&&) noexcept = default;
Repository::Lane::~Lane() = default;

Repository::Lane Repository::lane() {
    return Lane(std::make_unique<Lane::Kept>(impl_->writers, impl_->database.dialect()));
}

Repository::Unit Repository::unit() { return {*this, std::make_unique<Unit::Open>(impl_->writers.lend())}; }
Repository::Unit Repository::unit(Lane& lane) {
    KnownRow* const row = impl_->database.dialect().concurrent_writers ? &lane.kept_->row : nullptr;
    return {*this, std::make_unique<Unit::Open>(lane.kept_->lane.lend(), row)};
}

Requests Repository::save_progress(const StepClaim& claim, const Progress& progress, std::span<const Event> skipped) {
    ++impl_->progress_writes;
    return as_owner(claim.execution, [&] {
        Requests requests;
        Timestamp saved_at;
        impl_->transact(
            [&](StoreWrite& write) {
                saved_at = write.now();
                insert_events(*write, claim.execution.execution, skipped, write.now());
                const sql::Command saved[] = {save_place(claim, progress, write.now()), ask(claim.execution)};
                requests = requests_in(write.commit(saved).back());
            },
            [&](StoreWrite& look) {
                // Once more does no harm, but its lines in the journal would stand there twice.
                (void)locked_place(look, claim);
                const bool saved = !skipped.empty() && are_there(*look, claim.execution.execution, skipped, saved_at);
                if (saved) requests = requests_in(look->execute(ask(claim.execution)));
                return saved;
            });
        return requests;
    });
}

void Repository::append(Unit& unit, const Claim& claim, std::span<const Event> events) {
    insert_events(unit.connection(), claim.execution, events, impl_->clock.now());
}

void Repository::append(const Claim& claim, std::span<const Event> events) {
    Timestamp appended_at;
    const auto verb = [&](StoreWrite& write) {
        appended_at = write.now();
        write->execute(fence(claim, write.now()));
        insert_events(*write, claim.execution, events, write.now());
        write.commit();
    };
    as_owner(claim, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            look->execute(fence(claim, look.now()));
            return are_there(*look, claim.execution, events, appended_at);
        });
    });
}

void Repository::set_intent(const StepClaim& claim, const std::string& intent) {
    ++impl_->progress_writes;
    as_owner(claim.execution, [&] {
        impl_->transact([&](StoreWrite& write) {
            const sql::Command meant[] = {
                {"UPDATE step_progress SET intent = $4, updated = $5 WHERE instance_id = $1 AND step = $2 AND "
                 "partition = $6 AND epoch = $3 AND status = 'STARTED'",
                 {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.epoch), cell(intent),
                  cell(write.now()), Value(claim.partition)},
                 1}};
            write.commit(meant);
        });
    });
}

}  // namespace fermata
