#include "walk.hpp"

#include "failure.hpp"
#include "step_log.hpp"
#include "storable.hpp"

#include <fmt/format.h>
#include <fermata/runtime/step_log_path.hpp>

#include <algorithm>
#include <atomic>
#include <functional>
#include <utility>

namespace fermata {
namespace {

const ResolvedStep& definition_of(const RunnableStep& step) { return *step.definition; }

Ways ways_out_of(const RunnableElement& element) {
    return std::visit([](const auto& it) { return ways_of(*it.definition); }, element.what);
}

/// Whether `holds` of the id of any step or decision in it.
bool any_leaf(const RunnableElement& element, const std::function<bool(const std::string&)>& holds) {
    const auto any_in = [&](const std::vector<RunnableElement>& elements) {
        return std::ranges::any_of(elements, [&](const RunnableElement& inner) { return any_leaf(inner, holds); });
    };
    if (const auto* flow = std::get_if<RunnableFlow>(&element.what)) return any_in(flow->elements);
    if (const auto* split = std::get_if<RunnableSplit>(&element.what))
        return std::ranges::any_of(split->flows, [&](const RunnableFlow& flow) { return any_in(flow.elements); });
    return holds(element.id());
}

std::vector<PauseBehind> pauses_of(const Transition& way) {
    if (!way.pause) return {};
    return {{.what = *way.pause}};
}

/// §8.4.1: of several flows, FAILED counts more than STOPPED, and that more than an end of the job.
int weight(const WalkOutcome& outcome) {
    if (outcome.status == BatchStatus::failed) return 3;
    if (outcome.status == BatchStatus::stopped) return 2;
    return outcome.ends_job ? 1 : 0;
}

}  // namespace

/// A flow that rests has not ended, so neither has the split, whatever became of the others.
WalkOutcome Walk::fold(std::vector<WalkOutcome> flows) const {
    WalkOutcome result{.exit_status = std::string(to_string(BatchStatus::completed))};
    std::vector<StepExecutionId> steps;
    for (const WalkOutcome& flow : flows) steps.insert(steps.end(), flow.steps.begin(), flow.steps.end());
    const auto resting = std::ranges::find(flows, BatchStatus::paused, &WalkOutcome::status);
    if (resting != flows.end() && !scope_.stop.requested()) return std::move(*resting);
    if (resting != flows.end()) resting->status = BatchStatus::stopped;
    // A flow that has ended the job has ended it, also where another that merely failed counts more.
    const bool ends_job = std::ranges::any_of(flows, &WalkOutcome::ends_job);
    const auto heaviest = std::ranges::max_element(flows, {}, weight);
    if (heaviest != flows.end() && weight(*heaviest) > 0) result = std::move(*heaviest);
    result.ends_job = ends_job;
    result.steps = std::move(steps);
    // One pause's signals can be passed on: those of the pause that was entered last.
    for (const WalkOutcome& flow : flows) result.signals.own = std::max(result.signals.own, flow.signals.own);
    return result;
}

Walk::Walk(Plan plan, JobScope& scope, std::optional<WalkResumed> resumed) : plan_(std::move(plan)), scope_(scope) {
    if (!resumed) {
        recall();
        return;
    }
    states_ = std::move(resumed->memory.states);
    record_ = std::move(resumed->memory.record);
    unfinished_.emplace(resumed->entry.claim.step, BatchStatus::started);
    outside_ = resumed->outside_pause;
    entered_ = std::move(resumed->entry);
}

void Walk::recall() {
    states_ = scope_.repository.steps_of_instance(scope_.claim.instance);
    if (!plan_.adopted) return;
    for (WalkEntry& entry : scope_.repository.walk_of(scope_.claim.execution)) {
        std::pair key(entry.scope, entry.number);
        record_.emplace(std::move(key), std::move(entry));
    }
    for (const StepExecution& step : scope_.repository.steps_of(scope_.claim.execution))
        if (!step.ended) unfinished_.emplace(step.name, step.status);
    outside_ = scope_.repository.outside_pause_of(scope_.claim.execution);
}

WalkOutcome Walk::run(JobContext& context) {
    make_storable(context);
    said_ = context.exit_status;
    const Place job{.elements = plan_.job.elements, .scope = "", .context = context};
    if (!plan_.start_at) return walk(job, &job.elements.front(), {});
    const RunnableElement* first = find(job.elements, *plan_.start_at);
    if (first != nullptr) return walk(job, first, {});
    return wrong("fermata.Error",
                 fmt::format("the execution before asked to be restarted at \"{}\", but the job has no such element",
                             *plan_.start_at));
}

WalkOutcome Walk::walk(const Place& place, const RunnableElement* first, const SignalSource& signals) {
    Standing standing{.current = first, .signals = signals};
    const bool continues = plan_.adopted && (place.scope.empty() || recorded(place, 1) != nullptr);
    bool received = false;  // an owner before has entered the step that what was sent from outside was for
    for (bool was_new = !continues;;) {
        const std::string& id = standing.current->id();
        const bool is_new = recorded(place, standing.number + 1) == nullptr;
        if (is_new && scope_.stop.requested() && !is_running(*standing.current)) return stopped(standing);
        if (is_new && scope_.pause.requested() && !scope_.stop.requested()) return paused(standing);
        if (is_new && !was_new && !received) standing.signals.outside = outside_;
        if (!is_new && has_received(*standing.current)) received = true;
        was_new = is_new;
        if (!standing.entered.insert(id).second)  // §8.9.3: also over steps that are passed
            return wrong("fermata.Error", fmt::format("\"{}\" was reached a second time in one execution", id));

        Move next = move(place, standing);
        WalkOutcome& outcome = next.outcome;
        ++standing.number;
        if (!outcome.steps.empty()) standing.steps = outcome.steps;
        if (outcome.failure) standing.failure = outcome.failure;
        outcome.steps = standing.steps;
        if (outcome.ends_job) return std::move(outcome);
        if (next.pause.open) return paused(standing);
        // Decisions pass on what was sent; whatever has steps has received it, and may end with a pause of its own.
        if (next.pause.epoch > 0)
            standing.signals = {.own = next.pause.epoch};
        else if (!std::holds_alternative<RunnableDecision>(standing.current->what))
            standing.signals = outcome.signals;

        const Transition& way = next.transition;
        if (way.exit_status) place.context.exit_status = way.exit_status;
        switch (way.kind) {
            case Transition::Kind::next:
                standing.current = find(place.elements, way.to);
                continue;
            case Transition::Kind::finish:
                outcome.status = BatchStatus::completed;
                outcome.signals = standing.signals;
                return std::move(outcome);
            case Transition::Kind::failed:
                outcome.failure = standing.failure;
                return std::move(outcome);
            case Transition::Kind::end:
            case Transition::Kind::fail:
            case Transition::Kind::stop:
                break;
        }
        const bool by_element = outcome.status != BatchStatus::stopped;
        outcome.ends_job = true;
        outcome.status = way.kind == Transition::Kind::end    ? BatchStatus::completed
                         : way.kind == Transition::Kind::fail ? BatchStatus::failed
                                                              : BatchStatus::stopped;
        outcome.failure.reset();
        if (way.kind == Transition::Kind::fail) outcome.failure = failure_told(standing, outcome);
        outcome.restart = way.restart;
        if (by_element) outcome.job_exit_status = place.context.exit_status;
        return std::move(outcome);
    }
}

Walk::Move Walk::move(const Place& place, const Standing& standing) {
    if (const WalkEntry* entry = recorded(place, standing.number + 1)) return replay(*entry, *standing.current, place);
    return std::visit([&](const auto& element) { return enter(element, place, standing); }, standing.current->what);
}

/// What is recorded is not asked, run or counted again; the transitions are pure.
Walk::Move Walk::replay(const WalkEntry& entry, const RunnableElement& element, const Place& place) {
    if (entry.step != element.id())
        return {wrong("fermata.Error",
                      fmt::format("the record names \"{}\" where the job leads to \"{}\"", entry.step, element.id())),
                {}};
    Move move{.outcome = {.status = entry.status, .exit_status = entry.exit_status.value_or(""), .steps = entry.steps}};
    move.pause.epoch = entry.pause;  // complete: nothing is replayed while a pause is open
    place.context.exit_status = entry.job_exit_status;
    if (entry.failure) return {failed_for(*entry.failure), {}};
    if (entry.status == BatchStatus::failed && !entry.steps.empty()) {
        const auto step = scope_.repository.find_step(entry.steps.back());
        if (step) move.outcome.failure = step->failure;
    }
    move.transition = transition_after(ways_out_of(element), move.outcome.status, move.outcome.exit_status);
    auto display = scope_.display.lock();
    std::erase(display->ahead, entry.step);
    return move;
}

// --- steps

Walk::Move Walk::enter(const RunnableStep& step, const Place& place, const Standing& standing) {
    const ResolvedStep& definition = definition_of(step);
    if (rested_by_itself(definition.id) && !place.in_split) place.context.exit_status = said_;
    if (entered_ && entered_->claim.step == definition.id)
        return run_step_here(step, StepEntryMode::resume, place, standing);
    if (const auto entered = unfinished_.find(definition.id); entered != unfinished_.end())
        return run_step_here(step,
                             entered->second == BatchStatus::paused ? StepEntryMode::resume : StepEntryMode::adopt,
                             place, standing);
    const auto found = states_.find(definition.id);
    if (found == states_.end()) return run_step_here(step, StepEntryMode::start, place, standing);
    const StepState& state = found->second;
    const bool completed = state.status == BatchStatus::completed;
    if (completed && !definition.allow_start_if_complete) return pass(step, state, place, standing);
    if (definition.start_limit > 0 && state.starts >= definition.start_limit)
        return {wrong("fermata.StartLimitExceeded",
                      fmt::format("step \"{}\" was started {} times already; its start-limit is {}", definition.id,
                                  state.starts, definition.start_limit),
                      definition.id),
                {}};
    return run_step_here(step, completed ? StepEntryMode::again : StepEntryMode::start, place, standing);
}

/// §10.8: COMPLETED in an earlier execution: not run, no StepExecution; its stored exit status meets today's
/// transitions.
Walk::Move Walk::pass(const RunnableStep& step, const StepState& state, const Place& place, const Standing& standing) {
    Move move{.outcome = {.status = state.status,
                          .exit_status = state.exit_status.value_or("COMPLETED"),
                          .steps = {state.last_execution}}};
    move.transition = transition_after(ways_of(*step.definition), move.outcome.status, move.outcome.exit_status);
    record(move, *standing.current, "passed", place, standing);
    auto display = scope_.display.lock();
    std::erase(display->ahead, step.definition->id);
    display->steps.push_back({.name = step.definition->id,
                              .status = BatchStatus::completed,
                              .exit_status = state.exit_status,
                              .passed = true});
    return move;
}

Walk::Move Walk::run_step_here(const RunnableStep& step, StepEntryMode mode, const Place& place,
                               const Standing& standing) {
    StepStart start{mode, standing.signals};
    if (mode == StepEntryMode::resume) start.signals = {.outside = outside_};
    if (mode == StepEntryMode::adopt) start.signals = {};  // it keeps those it had
    start.entered = take_entered(definition_of(step).id);
    for (;;) {
        StepResult result = run_step(step, start, scope_, place.context);
        make_storable(place.context);
        if (!result.rest) return end_step_here(step, std::move(result), place, standing);
        if (auto outcome = rest_step_here(step, result, place, standing)) return {std::move(*outcome), {}};
        start = {StepEntryMode::resume, {}};
    }
}

Walk::Move Walk::end_step_here(const RunnableStep& step, StepResult result, const Place& place,
                               const Standing& standing) {
    StepEnd& end = result.end;
    Move move{.outcome = {.status = end.status, .exit_status = *end.exit_status, .steps = {result.claim.id}}};
    move.outcome.failure = end.failure;
    move.transition = transition_after(ways_of(*step.definition), end.status, *end.exit_status);
    const auto job_exit_status = move.transition.exit_status ? move.transition.exit_status : place.context.exit_status;
    if (!place.in_split) end.job_exit_status = job_exit_status;
    if (!end.pause) end.pause = move.transition.pause;
    end.walk = {.number = standing.number + 1,
                .step = step.definition->id,
                .outcome = "ran",
                .taken = std::string(to_string(move.transition.kind)),
                .to = move.transition.to,
                .scope = place.scope,
                .status = end.status,
                .exit_status = end.exit_status,
                .job_exit_status = job_exit_status,
                .steps = move.outcome.steps};
    scope_.require_ours();
    has_news_ = true;
    move.pause = heed(scope_.repository.end_step(result.claim, end));
    return move;
}

bool Walk::rested_by_itself(const std::string& step) const {
    if (entered_ && entered_->claim.step == step) return true;
    const auto entered = unfinished_.find(step);
    if (entered == unfinished_.end() || entered->second != BatchStatus::paused) return false;
    const auto state = states_.find(step);
    return state != states_.end() && state->second.deaths == 0;
}

std::optional<StepEntry> Walk::take_entered(const std::string& step) {
    if (!entered_ || entered_->claim.step != step) return std::nullopt;
    return std::exchange(entered_, std::nullopt);
}

/// Where nothing else of the execution can run, it rests together with its step.
PauseOpened Walk::rest(const RunnableStep& step, const StepResult& result, const Place& place) {
    const bool alone = !place.in_split && !definition_of(step).partition && !scope_.stop.requested();
    if (!alone) return scope_.repository.rest_step(result.claim, *result.rest);
    const RestedTogether rested =
        scope_.repository.rest_together(result.claim, *result.rest, place.context.exit_status);
    if (!rested.paused) return rested.pause;
    rested_ = rested;
    if (!has_news_) memory_ = WalkMemory{std::move(states_), std::move(record_), result.claim};
    return rested.pause;
}

std::optional<WalkOutcome> Walk::rest_step_here(const RunnableStep& step, const StepResult& result, const Place& place,
                                                const Standing& standing) {
    scope_.require_ours();
    const PauseOpened opened = rest(step, result, place);
    if (rested_) return paused(standing);
    if (opened.open) scope_.pause.opened(opened.epoch);
    if (result.rest->pause && opened.epoch == 0) scope_.heed(scope_.repository.poll(scope_.claim));
    if (scope_.stop.requested()) return stopped(standing);
    if (scope_.pause.requested()) return paused(standing);
    return std::nullopt;  // what it asked for had come before, or what it was asked for was withdrawn
}

// --- flows and splits

Walk::Move Walk::enter(const RunnableFlow& flow, const Place& place, const Standing& standing) {
    const Place inner{
        .elements = flow.elements, .scope = flow.definition->id, .context = place.context, .in_split = place.in_split};
    Move move{.outcome = walk(inner, &flow.elements.front(), standing.signals)};
    if (move.outcome.ends_job) return move;
    move.transition = transition_after(ways_of(*flow.definition), move.outcome.status, move.outcome.exit_status);
    record(move, *standing.current, "walked", place, standing);
    return move;
}

Walk::Move Walk::enter(const RunnableSplit& split, const Place& place, const Standing& standing) {
    std::vector<WalkOutcome> outcomes(split.flows.size());
    std::vector<std::exception_ptr> errors(split.flows.size());
    std::atomic<bool> lost = false;  // the repository, or the right to write to it: nothing more is entered
    const auto run_flow = [&](std::size_t i) {
        if (lost) return;
        try {
            outcomes[i] = walk_flow_of_split(split.flows[i], place, standing.signals);
        } catch (...) {
            lost = true;
            errors[i] = std::current_exception();
        }
    };
    Crew::Gang gang(scope_.crew, {.count = split.flows.size(), .width = split.flows.size(), .child = run_flow});
    gang.run();
    for (const std::exception_ptr& error : errors)
        if (error) std::rethrow_exception(error);
    Move move{.outcome = fold(std::move(outcomes))};
    if (move.outcome.ends_job) {
        if (move.outcome.job_exit_status) place.context.exit_status = move.outcome.job_exit_status;
        return move;
    }
    move.transition = transition_after(ways_of(*split.definition), move.outcome.status, move.outcome.exit_status);
    record(move, *standing.current, "walked", place, standing);
    return move;
}

/// §9.4.1: a flow of a split has a JobContext of its own. The flow's transition elements can end the job, not lead on.
WalkOutcome Walk::walk_flow_of_split(const RunnableFlow& flow, const Place& place, const SignalSource& signals) {
    JobContext context = place.context;
    context.exit_status.reset();
    context.transient_user_data.reset();
    const std::vector<RunnableElement> alone{{flow}};
    const Place own{
        .elements = alone, .scope = "split flow " + flow.definition->id, .context = context, .in_split = true};
    return walk(own, &alone.front(), signals);
}

// --- decisions

Walk::Move Walk::enter(const RunnableDecision& decision, const Place& place, const Standing& standing) {
    Move move;
    const auto failed = [&] {
        if (scope_.stop.requested()) {  // nothing was answered: a restart asks again
            move.outcome = stopped(standing);
            return move;
        }
        make_storable(place.context);
        move.outcome = failed_for(failure_of(std::current_exception(), scope_.registry, decision.definition->id));
        move.transition.kind = Transition::Kind::failed;
        record(move, *standing.current, "decided", place, standing);
        return move;
    };
    try {
        move.outcome.exit_status = ask(decision, place, standing);
        make_storable(move.outcome.exit_status);
    } catch (const std::exception& error) {
        if (is_fenced(error, scope_)) throw;
        return failed();
    } catch (...) {
        return failed();
    }
    const std::string& answer = move.outcome.exit_status;
    place.context.exit_status = answer.empty() ? std::nullopt : std::optional(answer);
    move.outcome.steps = standing.steps;
    move.transition = transition_after(ways_of(*decision.definition), move.outcome.status, answer);
    record(move, *standing.current, "decided", place, standing);
    return move;
}

std::string Walk::ask(const RunnableDecision& decision, const Place& place, const Standing& standing) {
    const std::string& id = decision.definition->id;
    const ResolvedArtifact& artifact = decision.definition->decider;
    const Properties properties("decider \"" + artifact.ref + "\"", scope_.file, artifact.properties);
    FileStepLog log(step_log_path(scope_.repository.data_folder(), scope_.claim.execution, id));
    StepContext context;
    context.step_name = id;
    context.batch_status = BatchStatus::started;
    context.job = &place.context;
    context.log = &log;
    context.stop = &scope_.stop;
    context.drivers = &scope_.drivers;
    context.owner_fd = scope_.owner_fd;
    const auto decider = decision.decider->make_decider({properties, &context, place.context});
    return decider->decide(steps_for_decision(standing));
}

/// A decision at which a job restarts decides about what ran last.
std::vector<StepExecution> Walk::steps_for_decision(const Standing& standing) {
    std::vector<StepExecutionId> ids = standing.steps;
    if (ids.empty() && !states_.empty()) {
        const auto later = [](const auto& one, const auto& other) {
            return one.second.last_execution < other.second.last_execution;
        };
        ids.push_back(std::ranges::max_element(states_, later)->second.last_execution);
    }
    std::vector<StepExecution> steps;
    for (const StepExecutionId id : ids)
        if (auto step = scope_.repository.find_step(id)) steps.push_back(std::move(*step));
    return steps;
}

// --- the record

void Walk::record(Move& move, const RunnableElement& element, std::string outcome, const Place& place,
                  const Standing& standing) {
    const Transition& way = move.transition;
    const WalkEntry entry{.number = standing.number + 1,
                          .step = element.id(),
                          .outcome = std::move(outcome),
                          .taken = std::string(to_string(way.kind)),
                          .to = way.to,
                          .scope = place.scope,
                          .status = move.outcome.status,
                          .exit_status = move.outcome.exit_status,
                          .job_exit_status = way.exit_status ? way.exit_status : place.context.exit_status,
                          .steps = move.outcome.steps,
                          .failure = move.outcome.ends_job ? move.outcome.failure : std::nullopt,
                          .pause = move.outcome.signals.own};
    has_news_ = true;
    const auto pauses = entry.outcome == "passed" ? unanswered_pauses(entry.step, way) : pauses_of(way);
    move.pause = heed(scope_.repository.record_walk(scope_.claim, entry, pauses));
}

/// What is passed over paused when it ran. A gate that a stop, a time-out or a failure closed is still a gate; one of
/// job XML is as it says now.
std::vector<PauseBehind> Walk::unanswered_pauses(const std::string& step, const Transition& way) {
    const std::lock_guard lock(earlier_mutex_);
    if (!unanswered_) unanswered_ = scope_.repository.unanswered_pauses(scope_.claim.instance);
    const auto found = unanswered_->find(step);
    if (found == unanswered_->end()) return pauses_of(way);
    std::vector<PauseBehind> gates = found->second;
    for (PauseBehind& gate : gates)
        if (gate.kind == PauseKind::after && way.pause) gate.what = *way.pause;
    return gates;
}

/// Nothing is entered any more after what was asked while the element ran, by its own script for one.
PauseOpened Walk::heed(const ElementRecorded& recorded) {
    scope_.heed(recorded.requests);
    return recorded.pause;
}

const WalkEntry* Walk::recorded(const Place& place, std::int64_t number) const {
    const auto found = record_.find(std::pair(place.scope, number));
    return found == record_.end() ? nullptr : &found->second;
}

bool Walk::has_received(const RunnableElement& element) const {
    return outside_ > 0 && any_leaf(element, [this](const std::string& id) {
               const auto state = states_.find(id);
               return state != states_.end() && state->second.outside_pause == outside_;
           });
}

bool Walk::is_running(const RunnableElement& element) const {
    return any_leaf(element, [this](const std::string& id) {
        const auto entered = unfinished_.find(id);
        return entered != unfinished_.end() && entered->second != BatchStatus::paused;
    });
}

WalkOutcome Walk::stopped(const Standing& standing) {
    return {.status = BatchStatus::stopped, .exit_status = "STOPPED", .steps = standing.steps, .ends_job = true};
}

WalkOutcome Walk::paused(const Standing& standing) {
    return {.status = BatchStatus::paused, .exit_status = "PAUSED", .steps = standing.steps, .ends_job = true};
}

WalkOutcome Walk::wrong(std::string error_class, std::string message, std::string step) {
    return failed_for({std::move(error_class), std::move(message), std::move(step), {}});
}

/// A job that a <fail> ended without any error must say why, too.
Failure Walk::failure_told(const Standing& standing, const WalkOutcome& outcome) {
    if (standing.failure) return *standing.failure;
    const std::string& id = standing.current->id();
    return {"fermata.FailElement",
            fmt::format("\"{}\" ended with \"{}\", and its <fail> says so", id, outcome.exit_status),
            id,
            {}};
}

/// However deep it stands, the job has failed.
WalkOutcome Walk::failed_for(Failure failure) {
    return {.status = BatchStatus::failed,
            .exit_status = std::string(to_string(BatchStatus::failed)),
            .failure = std::move(failure),
            .ends_job = true};
}

}  // namespace fermata
