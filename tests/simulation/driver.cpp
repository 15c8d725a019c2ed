#include "driver.hpp"

#include <charconv>

namespace fermata::simulation {
namespace {

std::int64_t items_done(const Progress& progress) {
    std::int64_t items = 0;
    if (progress.reader)
        std::from_chars(progress.reader->data(), progress.reader->data() + progress.reader->size(), items);
    return items;
}

}  // namespace

void Driver::heed(const Requests& requests) {
    asked_.stop = asked_.stop || requests.status == BatchStatus::stopping;
    asked_.pause = requests.status == BatchStatus::pausing;
    asked_.pause_now = asked_.pause && requests.pause_now;
    if (requests.cuts == asked_.cuts) return;
    asked_.cuts = requests.cuts;
    asked_.cut = !store().step_stops_asked(owned_.claim).empty();  // its steps come one after the other
}

Script Driver::run_slice(const Step& step, Slice& slice) {
    while (items_done(slice.progress) < step.chunks * items_a_chunk) {
        slice.cut = asked_.cut && !asked_.stop;
        if (slice.cut) break;
        if (asked_.stop) slice.end = BatchStatus::stopped;
        if (asked_.stop) co_return;
        const bool rests = asked_.rests() && (asked_.pause_now || asked_.hands_on);
        if (rests || slice.progress.pause) slice.end = BatchStatus::paused;
        if (slice.end == BatchStatus::paused) co_return;
        if (world_.is_rough() && world_.chance.happens(world_.weather.break_step)) {
            slice.end = BatchStatus::failed;
            co_return;
        }
        const bool committed = commit_chunk(step, slice);
        co_await turn;
        slice.turn_is_over = committed && !asked_.stop && !asked_.cut && !slice.progress.pause && gives_up_turn();
        if (slice.turn_is_over) co_return;
    }
    slice.end = BatchStatus::completed;
}

/// False if the connection was lost and nothing kept: the chunk is done again.
bool Driver::commit_chunk(const Step& step, Slice& slice) {
    Progress next = slice.progress;
    const std::int64_t first = items_done(next);
    ++next.sequence;
    ++next.metrics.commits;
    next.metrics.read += items_a_chunk;
    next.metrics.written += items_a_chunk;
    next.reader = std::to_string(first + items_a_chunk);
    if (first == 0 && step.pause_within && slice.claim.partition <= 1)
        next.pause = encode(StepPause{.what = *step.pause_within});
    try {
        const Requests requests = own("commit", [&] { return write_chunk(slice, next); });
        world_.note("    {}.{} has {} items", slice.claim.step, slice.claim.partition, first + items_a_chunk);
        slice.progress = std::move(next);
        heed(requests);
        return true;
    } catch (const sql::SqlError& error) {
        if (error.sql_kind() != sql::SqlError::Kind::lost) throw;
        world_.sometimes("a chunk is done again after its connection was lost");
        return false;
    }
}

/// With what its collector says, if it is for somebody else.
Requests Driver::write_chunk(const Slice& slice, const Progress& next) {
    const StepClaim& claim = slice.claim;
    const std::int64_t first = items_done(slice.progress);
    const std::int64_t last = items_done(next);
    auto unit = store().unit();
    unit.connection().execute(
        "INSERT INTO sim_chunk (instance, step, partition, execution, sequence, epoch, first, last) VALUES "
        "($1, $2, $3, $4, $5, $6, $7, $8)",
        {Value(claim.execution.instance.value()), Value(std::string_view(claim.step)), Value(claim.partition),
         Value(claim.id.value()), Value(next.sequence), Value(claim.epoch), Value(first), Value(last)});
    if (owned_.is_partition()) store().store_collected(unit, claim, next.sequence, fmt::format("{}-{}", first, last));
    return unit.commit(claim, next);
}

}  // namespace fermata::simulation
