#include "part.hpp"

namespace fermata::simulation {

Part::Part(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, ClaimedPartition claimed)
    : Driver(world, ledger, host, worker, std::move(actor), Owned(claimed.entry.claim)),
      claimed_(std::move(claimed)),
      script_(live()) {}

Script Part::live() {
    const Job& job = world_.jobs.at(store().find_execution(owned_.claim.execution).value().job_name);
    heed(own("polls", [&] { return store().poll_partition(claimed_.entry.claim); }));
    co_await turn;
    Slice slice{.claim = claimed_.entry.claim, .progress = claimed_.entry.state.progress};
    co_await run_slice(job.step(owned_.step), slice);
    co_await turn;
    ledger_.lets_go(key());
    if (slice.turn_is_over)
        give_up(slice);
    else if (slice.end == BatchStatus::paused)
        rest(slice);
    else
        end(slice);
}

/// It is not entered once more, as one of the execution's owner would be: somebody claims it when it may go on.
void Part::rest(Slice& slice) {
    StepRest how{.progress = slice.progress, .pause = std::nullopt};
    if (slice.progress.pause) how.pause = decode_step_pause(*slice.progress.pause).what;
    const std::string_view name = how.pause ? opens_pause : "rests";
    const PauseOpened opened = own(name, [&] { return store().rest_partition(slice.claim, how); });
    world_.note("    pause {}{}", opened.epoch, opened.open ? " is open" : "");
    world_.sometimes(how.pause ? "a claimed partition opened a pause" : "a claimed partition rests");
    if (asked_.hands_on) world_.sometimes("a claimed partition was handed on");
}

bool Part::gives_up_turn() {
    if (!world_.chance.happens(0.3)) return false;
    const bool wait = store().others_wait(claimed_.entry.claim, worker_);
    world_.note("    of partition {} the turn is over{}", key().number, wait ? "" : ", and nothing waits");
    return wait;
}

/// Somebody claims it behind those that wait now.
void Part::give_up(const Slice& slice) {
    own("gives up its turn", [&] { store().give_up_turn(slice.claim, slice.progress); });
    world_.sometimes("a claimed partition gave up its turn");
}

void Part::end(const Slice& slice) {
    PartitionEnd end{.status = slice.end,
                     .exit_status = std::string(to_string(slice.end)),
                     .progress = slice.progress,
                     .failure = {},
                     .collected = {},
                     .cut = slice.cut};
    end.progress.pause.reset();
    if (slice.end == BatchStatus::failed) end.failure = Failure{"sim.Broken", "it broke", owned_.step, {}};
    if (slice.cut) world_.sometimes("a claimed partition was cut short");
    own("ends", [&] { store().end_partition(slice.claim, end); });
    world_.note("    {}", to_string(slice.end));
}

std::vector<std::unique_ptr<Part>> parts_of(World& world, Ledger& ledger, Host& host, const Worker& worker,
                                            const std::string& actor, const ClaimedPartitions& claimed) {
    std::vector<std::unique_ptr<Part>> parts;
    for (const ClaimedPartition& one : claimed.partitions) {
        const Owned owned(one.entry.claim);
        ledger.granted(owned, worker);
        world.note("  {} claims {} under epoch {}{}", actor, owned.shown(), owned.epoch, one.begun ? ", begun" : "");
        parts.push_back(std::make_unique<Part>(world, ledger, host, worker, actor, one));
    }
    return parts;
}

}  // namespace fermata::simulation
