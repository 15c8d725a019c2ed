// The chunk's commit, and what is saved between chunks.
#include "fence.hpp"
#include "journal.hpp"
#include "progress.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

// Saves and fences. A death or an intent belongs to the place it happened at, so it is
// forgotten as soon as the step gets beyond.
sql::Command save(const StepClaim& claim, const Progress& next, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, updated = $24, "
        "deaths = CASE WHEN generation = $1 AND sequence = $2 THEN deaths ELSE 0 END, "
        "intent = CASE WHEN generation = $1 AND sequence = $2 THEN intent ELSE NULL END "
        "WHERE instance_id = $21 AND step = $22 AND partition = $25 AND epoch = $23 AND status = 'STARTED'",
        progress_assignments());
    sql::Command command{sql, {}, 1};
    command.params.reserve(25);
    append_progress(command.params, next);
    command.params.insert(command.params.end(), {Value(claim.execution.instance.value()), cell(claim.step),
                                                 Value(claim.epoch), cell(now), Value(claim.partition)});
    return command;
}

// A statement of its own: RETURNING makes SQLite open a temporary table for each chunk.
sql::Command ask(const StepClaim& claim) {
    return {"SELECT status, stop_now FROM job_execution WHERE id = $1", {Value(claim.execution.execution.value())}, 1};
}

Requests requests_in(const sql::Result& asked) {
    RowReader row(asked[0]);
    const BatchStatus status = row.status();
    return {status, row.flag()};
}

void insert_events(sql::Connection& connection, JobExecutionId execution, std::span<const Event> events,
                   Timestamp now) {
    constexpr std::size_t width = 5;
    sql::Params cells;
    cells.reserve(events.size() * width);
    for (const Event& event : events) {
        const bool dated = event.at != Timestamp{};
        cells.insert(cells.end(), {cell(dated ? event.at : now), Value(execution.value()), cell(event.kind),
                                   cell(event.actor.empty() ? runtime_actor : event.actor),
                                   cell(event.data.empty() ? std::string_view("{}") : event.data)});
    }
    insert_rows(connection, "INSERT INTO event (at, execution_id, kind, actor, data) VALUES ", width, cells);
}

}  // namespace

Repository::Unit::Unit(Repository& repository) : repository_(&repository), lock_(repository.impl_->write_mutex) {
    connection().begin();
}

Repository::Unit::Unit(Unit&& other) noexcept
    : repository_(std::exchange(other.repository_, nullptr)), lock_(std::move(other.lock_)) {}

Repository::Unit::~Unit() {
    if (repository_ != nullptr && connection().in_transaction()) connection().rollback();
}

sql::Connection& Repository::Unit::connection() noexcept { return *repository_->impl_->writer; }

Requests Repository::Unit::commit(const StepClaim& claim, const Progress& next, std::span<const sql::Command> more) {
    return as_owner(claim.execution, [&] {
        std::vector<sql::Command> last(more.begin(), more.end());
        last.push_back(save(claim, next, repository_->impl_->clock.now()));
        last.push_back(ask(claim));
        FERMATA_POINT("chunk.before-commit");
        const std::vector<sql::Result> results = connection().commit(last);
        FERMATA_POINT("chunk.after-commit");
        return requests_in(results.back());
    });
}

Repository::Unit Repository::unit() { return Unit(*this); }

Requests Repository::save_progress(const StepClaim& claim, const Progress& progress, std::span<const Event> skipped) {
    return as_owner(claim.execution, [&] {
        Impl::Write write(*impl_);
        insert_events(*write, claim.execution.execution, skipped, write.now());
        const sql::Command saved[] = {save(claim, progress, write.now()), ask(claim)};
        return requests_in(write.commit(saved).back());
    });
}

void Repository::append(Unit& unit, const Claim& claim, std::span<const Event> events) {
    insert_events(unit.connection(), claim.execution, events, impl_->clock.now());
}

void Repository::append(const Claim& claim, std::span<const Event> events) {
    as_owner(claim, [&] {
        Impl::Write write(*impl_);
        insert_events(*write, claim.execution, events, write.now());
        const sql::Command owned[] = {fence(claim, write.now())};
        write.commit(owned);
    });
}

void Repository::set_intent(const StepClaim& claim, const std::string& intent) {
    as_owner(claim.execution, [&] {
        Impl::Write write(*impl_);
        const sql::Command meant[] = {
            {"UPDATE step_progress SET intent = $4, updated = $5 WHERE instance_id = $1 AND step = $2 AND "
             "partition = $6 AND epoch = $3 AND status = 'STARTED'",
             {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.epoch), cell(intent),
              cell(write.now()), Value(claim.partition)},
             1}};
        write.commit(meant);
    });
}

}  // namespace fermata
