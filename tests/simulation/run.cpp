#include "run.hpp"

#include <algorithm>

namespace fermata::simulation {

Run::Run(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, Start start)
    : Driver(world, ledger, host, worker, std::move(actor), Owned(start.claim)),
      claim_(std::move(start.claim)),
      adopted_(start.adopted),
      entered_(std::move(start.entered)),
      helpers_(start.helpers),
      script_(live()) {}

void Run::go_on() {
    if (!script_.done()) script_.go_on();
}

// --- the job

Script Run::live() {
    job_ = &world_.jobs.at(store().find_execution(claim_.execution).value().job_name);
    if (adopted_) heed(own("polls", [&] { return store().poll(claim_); }));
    for (;;) {
        recall();
        if (entered_) compare_memory();
        co_await turn;
        co_await walk();
        if (rests_) co_return;
        co_await turn;
        if (outcome_ != BatchStatus::paused) break;
        ledger_.lets_go(claim_.execution);
        const Rested rested =
            own("comes to rest", [&] { return store().rest_execution(claim_, "HALF", asked_.hands_on); });
        world_.note("    rested: {}", static_cast<int>(rested));
        if (rested == Rested::handed_on) world_.sometimes("an execution was handed on");
        if (rested == Rested::paused) world_.sometimes("an execution is PAUSED");
        if (rested == Rested::paused || rested == Rested::handed_on) co_return;
        if (rested == Rested::stopping) outcome_ = BatchStatus::stopped;
        if (rested == Rested::stopping) break;
        world_.sometimes("a pause was complete before the execution rested");
        heed(own("polls", [&] { return store().poll(claim_); }));
        adopted_ = true;
    }
    end(outcome_);
}

void Run::end(BatchStatus status) {
    ledger_.lets_go(claim_.execution);
    own("ends",
        [&] { store().end_execution(claim_, {.status = status, .exit_status = std::string(to_string(status))}); });
    world_.note("    {}", to_string(status));
}

void Run::recall() {
    states_ = store().steps_of_instance(claim_.instance);
    record_.clear();
    unfinished_.clear();
    has_news_ = false;
    if (!adopted_) return;
    for (WalkEntry& entry : store().walk_of(claim_.execution)) record_.emplace(entry.number, std::move(entry));
    for (const StepExecution& step : store().steps_of(claim_.execution))
        if (!step.ended) unfinished_.emplace(step.name, step.status);
    outside_ = store().outside_pause_of(claim_.execution);
}

/// As whoever let it rest remembers it.
void Run::compare_memory() {
    const World::Memory& memory = world_.memories.at(claim_.execution);
    world_.sometimes("what rested was resumed in its step");
    if (memory.recorded != record_.size() || memory.rested.id != entered_->claim.id || unfinished_.size() != 1)
        throw Violation(fmt::format("execution {} was resumed in step {}, but is not as it was left",
                                    claim_.execution.value(), entered_->claim.step));
}

Script Run::walk() {
    SignalSource signals;
    bool receives_from_outside = false;
    for (std::size_t i = 0; i < job_->steps.size(); ++i) {
        const Step& step = job_->steps[i];
        const auto number = static_cast<std::int64_t>(i) + 1;
        outcome_ = BatchStatus::completed;
        if (const auto entry = record_.find(number); entry != record_.end()) {
            outcome_ = entry->second.status;
            if (outcome_ != BatchStatus::completed) co_return;
            signals = {.own = entry->second.pause, .outside = 0};
            const auto state = states_.find(step.name);
            receives_from_outside = state == states_.end() || state->second.outside_pause != outside_;
            continue;
        }
        if (asked_.stop && !is_running(step)) outcome_ = BatchStatus::stopped;
        if (asked_.rests()) outcome_ = BatchStatus::paused;
        if (outcome_ != BatchStatus::completed) co_return;
        if (receives_from_outside) signals.outside = outside_;
        receives_from_outside = false;
        opened_ = {};
        const auto state = states_.find(step.name);
        const bool passes = state != states_.end() && state->second.status == BatchStatus::completed &&
                            !unfinished_.contains(step.name);
        if (passes)
            pass(step, number);
        else
            co_await run_step(step, number, signals);
        if (outcome_ != BatchStatus::completed) co_return;
        if (opened_.open) outcome_ = BatchStatus::paused;
        if (opened_.open) co_return;
        signals = {.own = opened_.epoch, .outside = 0};
        co_await turn;
    }
}

void Run::pass(const Step& step, std::int64_t number) {
    std::vector<PauseBehind> pauses;
    const auto unanswered = store().unanswered_pauses(claim_.instance);
    if (const auto gates = unanswered.find(step.name); gates != unanswered.end())
        pauses = gates->second;
    else if (step.pause_after)
        pauses = {{.what = *step.pause_after}};
    has_news_ = true;
    const ElementRecorded recorded = own("passes over", [&] {
        return store().record_walk(claim_, {.number = number, .step = step.name, .outcome = "passed", .taken = "next"},
                                   pauses);
    });
    opened_ = recorded.pause;
    heed(recorded.requests);
}

bool Run::is_running(const Step& step) const {
    const auto entered = unfinished_.find(step.name);
    return entered != unfinished_.end() && entered->second != BatchStatus::paused;
}

StepEntryMode Run::mode_of(const Step& step) const {
    const auto entered = unfinished_.find(step.name);
    if (entered == unfinished_.end()) return StepEntryMode::start;
    return entered->second == BatchStatus::paused ? StepEntryMode::resume : StepEntryMode::adopt;
}

// --- a step

Script Run::run_step(const Step& step, std::int64_t number, SignalSource signals) {
    StepEntryMode mode = mode_of(step);
    if (mode == StepEntryMode::resume) signals = {.own = 0, .outside = outside_};
    if (mode == StepEntryMode::adopt) signals = {};
    if (mode == StepEntryMode::adopt) world_.sometimes("a running step was adopted");
    for (;;) {
        const StepEntry entry =
            entered_ && entered_->claim.step == step.name
                ? *std::exchange(entered_, std::nullopt)
                : own("enters a step", [&] { return store().enter_step(claim_, step.name, mode, signals); });
        world_.note("    {} at {} under epoch {}", step.name, entry.state.progress.sequence, entry.claim.epoch);
        receive(entry);
        Slice slice{.claim = entry.claim, .progress = entry.state.progress};
        co_await turn;
        if (step.partitions)
            co_await run_partitions(step, slice);
        else
            co_await run_slice(step, slice);
        co_await turn;
        if (slice.end != BatchStatus::paused) {
            end_step(step, number, slice);
            co_return;
        }
        opened_ = rest(step, slice);
        world_.sometimes("a step rests");
        if (asked_.stop) outcome_ = BatchStatus::stopped;
        if (rests_ || asked_.rests()) outcome_ = BatchStatus::paused;
        if (outcome_ != BatchStatus::completed) co_return;
        mode = StepEntryMode::resume;
        signals = {};
    }
}

void Run::receive(const StepEntry& entry) {
    if (entry.state.own_pause == 0) return;
    const auto signals = store().signals_for(claim_.execution, {.own = entry.state.own_pause, .outside = 0});
    world_.note("    with {} signals of pause {}", signals.size(), entry.state.own_pause);
    ledger_.received(claim_.execution, entry.state.own_pause, signals);
}

void Run::rested_together(const StepClaim& claim) {
    rests_ = true;
    if (has_news_)
        world_.memories.erase(claim_.execution);
    else
        world_.memories[claim_.execution] = {claim, record_.size()};
    world_.sometimes("an execution is PAUSED");
    world_.sometimes("a step and its execution rested together");
}

PauseOpened Run::rest(const Step& step, Slice& slice) {
    StepRest how{.progress = slice.progress, .pause = std::nullopt};
    if (slice.progress.pause) how.pause = decode_step_pause(*slice.progress.pause).what;
    const bool asks = how.pause.has_value();
    const bool alone = !step.partitions && !asked_.stop;
    if (alone) ledger_.lets_go(claim_.execution);
    const PauseOpened opened = own("rests", [&] {
        if (slice.claim.partition > 0) return store().rest_partition(slice.claim, how);
        if (!alone) return store().rest_step(slice.claim, how);
        const RestedTogether rested = store().rest_together(slice.claim, how, "HALF");
        if (rested.paused) rested_together(slice.claim);
        return rested.pause;
    });
    world_.note("    pause {}{}", opened.epoch, opened.open ? " is open" : "");
    if (opened.open) asked_.pause = asked_.pause_now = true;
    if (asks && opened.epoch == 0) heed(own("polls", [&] { return store().poll(claim_); }));
    return opened;
}

void Run::end_step(const Step& step, std::int64_t number, Slice& slice) {
    StepEnd end{.status = slice.end, .exit_status = std::string(to_string(slice.end)), .progress = slice.progress};
    end.progress.pause.reset();
    if (slice.end == BatchStatus::failed) end.failure = Failure{"sim.Broken", "it broke", step.name, {}};
    if (slice.end == BatchStatus::completed) end.pause = step.pause_after;
    const bool is_cut = slice.end == BatchStatus::completed && (asked_.cut || slice.cut);
    if (is_cut) end.cut = CutShort{end.progress.metrics.read, "here"};
    if (is_cut) world_.sometimes("a step was cut short");
    end.partitioned = step.partitions.has_value();
    end.walk = {.number = number,
                .step = step.name,
                .outcome = "ran",
                .taken = "next",
                .status = slice.end,
                .steps = {slice.claim.id}};
    has_news_ = true;
    const ElementRecorded recorded = own("ends a step", [&] { return store().end_step(slice.claim, end); });
    world_.note("    {} {}, pause {}{}", step.name, to_string(slice.end), recorded.pause.epoch,
                recorded.pause.open ? " is open" : "");
    outcome_ = slice.end;
    opened_ = recorded.pause;
    asked_.cut = false;
    heed(recorded.requests);
}

Metrics Run::counted_by_partitions(const StepClaim& step) {
    Metrics sum;
    for (const PartitionExecution& partition : store().partitions_of(step.id)) {
        sum.read += partition.metrics.read;
        sum.written += partition.metrics.written;
        sum.commits += partition.metrics.commits;
    }
    return sum;
}

// --- its partitions

Script Run::run_partitions(const Step& step, Slice& whole) {
    std::optional<StoredPlan> plan;
    if (adopted_) plan = store().plan_of(whole.claim);
    if (!plan) {
        StepEntry entry{.claim = whole.claim, .state = {}};
        entry.state.progress = whole.progress;
        const PlanRequest wanted{.partitions = *step.partitions, .for_workers = step.shared};
        plan = own("stores a plan", [&] { return store().store_plan(entry, wanted); });
        whole.progress = entry.state.progress;
    }
    if (plan->for_workers)
        co_await share_partitions(whole, *plan);
    else
        co_await run_partitions_here(step, whole, *plan);
    // The pauses its partitions asked for are their own, entered as each came to rest.
    whole.progress.pause.reset();
}

Script Run::run_partitions_here(const Step& step, Slice& whole, const StoredPlan& plan) {
    std::vector<Script> beside;
    for (const PartitionExecution& partition : plan.partitions)
        if (!partition.ended) beside.push_back(run_partition(step, whole, partition));
    while (!beside.empty()) {
        Script& one = world_.chance.one_of(beside);
        one.go_on();
        std::erase_if(beside, [](const Script& script) { return script.done(); });
        co_await turn;
    }
    whole.end = fold(store().partitions_of(whole.claim.id));
    whole.progress.metrics = counted_by_partitions(whole.claim);
}

/// A partition that rests has not ended, so neither has the step, whatever became of the others.
BatchStatus Run::fold(const std::vector<PartitionExecution>& partitions) const {
    const auto any = [&](auto&& holds) { return std::ranges::any_of(partitions, holds); };
    if (asked_.rests() && any([](const auto& p) { return !p.ended; })) return BatchStatus::paused;
    if (any([](const auto& p) { return p.status == BatchStatus::failed; })) return BatchStatus::failed;
    const bool cut_short = any([](const auto& p) { return !p.ended || p.status == BatchStatus::stopped; });
    return cut_short && (!asked_.cut || asked_.stop) ? BatchStatus::stopped : BatchStatus::completed;
}

Script Run::run_partition(const Step& step, const Slice& whole, PartitionExecution partition) {
    const bool is_new = partition.status == BatchStatus::starting;
    if (is_new ? asked_.stop || asked_.cut || asked_.rests() : asked_.rests()) co_return;
    StepEntryMode mode = is_new                                     ? StepEntryMode::start
                         : partition.status == BatchStatus::started ? StepEntryMode::adopt
                                                                    : StepEntryMode::resume;
    if (mode == StepEntryMode::adopt) world_.sometimes("a running partition was adopted");
    for (;;) {
        const StepEntry entry =
            own("enters a partition", [&] { return store().enter_partition(whole.claim, partition.number, mode); });
        world_.note("    {}.{} at {} under epoch {}", step.name, entry.claim.partition, entry.state.progress.sequence,
                    entry.claim.epoch);
        Slice slice{.claim = entry.claim, .progress = entry.state.progress};
        co_await turn;
        co_await run_slice(step, slice);
        if (slice.end != BatchStatus::paused) {
            PartitionEnd end{
                .status = slice.end, .exit_status = std::string(to_string(slice.end)), .progress = slice.progress};
            end.progress.pause.reset();
            own("ends a partition", [&] { store().end_partition(slice.claim, end); });
            co_return;
        }
        std::ignore = rest(step, slice);
        world_.sometimes("a partition rests");
        if (asked_.cut || asked_.stop || asked_.rests()) co_return;
        mode = StepEntryMode::resume;
    }
}

}  // namespace fermata::simulation
