#include "job_runner.hpp"

#include "failure.hpp"

#include <fmt/format.h>

namespace fermata {

JobRunner::JobRunner(Plan plan, JobScope& scope, JobContext context)
    : plan_(plan), scope_(scope), context_(std::move(context)) {}

void JobRunner::run() {
    JobEnd end = walk();
    scope_.repository.end_execution(scope_.claim, end);
    auto display = scope_.display.lock();
    display->status = end.status;
}

JobEnd JobRunner::walk() {
    states_ = scope_.repository.steps_of_instance(scope_.claim.instance);
    begin();
    std::optional<JobEnd> end = find_start();
    if (!end) {
        end.emplace();
        // An adopter does not repeat beforeJob once a step was entered: it ran then.
        if (number_ > 0 || adopt_current_ || call_listeners(&JobListener::before_job, *end)) end = walk_from_here();
    }
    return finish(std::move(*end));
}

void JobRunner::begin() {
    context_.batch_status = BatchStatus::started;
    const auto& definitions = plan_.job.job->listeners;
    for (std::size_t i = 0; i < definitions.size(); ++i) {
        const Properties properties("listener \"" + definitions[i].ref + "\"", scope_.file, definitions[i].properties);
        listeners_.add(plan_.job.listeners[i]->make_listener({properties, nullptr, context_}));
    }
}

std::optional<JobEnd> JobRunner::find_start() {
    current_ = &plan_.job.steps.front();
    if (plan_.adopted) return replay_record();
    if (!plan_.start_at) return std::nullopt;
    current_ = plan_.job.find(*plan_.start_at);
    if (current_ == nullptr)
        return fail("fermata.Error",
                    fmt::format("the execution before asked to be restarted at \"{}\", but the job has no such step",
                                *plan_.start_at));
    return std::nullopt;
}

/// What is recorded is not asked, run or counted again: the transitions are pure, so the record is followed to its end.
std::optional<JobEnd> JobRunner::replay_record() {
    if (plan_.start_at && plan_.job.find(*plan_.start_at) != nullptr) current_ = plan_.job.find(*plan_.start_at);
    for (const WalkEntry& entry : scope_.repository.walk_of(scope_.claim.execution)) {
        number_ = entry.number;
        entered_.insert(entry.step);
        const RunnableStep* step = plan_.job.find(entry.step);
        if (step == nullptr)
            return fail("fermata.Error",
                        fmt::format("the record names step \"{}\", which the job does not have", entry.step));
        const StepState& state = states_.at(entry.step);
        const Transition transition = transition_after(*step->definition, state.status, state.exit_status.value_or(""));
        if (transition.kind != Transition::Kind::next) return end_by(transition);
        current_ = plan_.job.find(transition.to);
    }
    const auto state = states_.find(current_->definition->id);
    adopt_current_ = false;
    if (state == states_.end()) return std::nullopt;
    const auto last = scope_.repository.find_step(state->second.last_execution);
    adopt_current_ = last && last->execution_id == scope_.claim.execution;
    return std::nullopt;
}

JobEnd JobRunner::walk_from_here() {
    for (;;) {
        const std::string& id = current_->definition->id;
        if (scope_.stop.requested() && !adopt_current_) return {.status = BatchStatus::stopped};
        if (!entered_.insert(id).second)  // §8.9.3: also over steps that are passed
            return fail("fermata.Error", fmt::format("step \"{}\" was reached a second time in one execution", id));
        const auto state = states_.find(id);
        const bool counted_out =
            state != states_.end() && current_->definition->start_limit > 0 && !adopt_current_ &&
            !(state->second.status == BatchStatus::completed && !current_->definition->allow_start_if_complete) &&
            state->second.starts >= current_->definition->start_limit;
        if (counted_out)
            return fail("fermata.StartLimitExceeded",
                        fmt::format("step \"{}\" was started {} times already; its start-limit is {}", id,
                                    state->second.starts, current_->definition->start_limit),
                        id);
        const Transition transition = advance(*current_);
        if (transition.kind == Transition::Kind::next) {
            current_ = plan_.job.find(transition.to);
            continue;
        }
        return end_by(transition);
    }
}

Transition JobRunner::advance(const RunnableStep& step) {
    if (std::exchange(adopt_current_, false)) return enter(step, StepEntryMode::adopt);
    const auto state = states_.find(step.definition->id);
    if (state == states_.end() || state->second.status != BatchStatus::completed)
        return enter(step, StepEntryMode::start);
    if (step.definition->allow_start_if_complete) return enter(step, StepEntryMode::again);
    return pass(step, state->second);
}

/// §10.8: COMPLETED in an earlier execution: not run, no StepExecution; its stored exit status meets today's
/// transitions.
Transition JobRunner::pass(const RunnableStep& step, const StepState& state) {
    const Transition transition =
        transition_after(*step.definition, state.status, state.exit_status.value_or("COMPLETED"));
    scope_.repository.record_walk(scope_.claim, {.number = ++number_,
                                                 .step = step.definition->id,
                                                 .outcome = "passed",
                                                 .taken = std::string(to_string(transition.kind)),
                                                 .to = transition.to});
    auto display = scope_.display.lock();
    std::erase(display->ahead, step.definition->id);
    display->steps.push_back({.name = step.definition->id,
                              .status = BatchStatus::completed,
                              .exit_status = state.exit_status,
                              .passed = true});
    return transition;
}

Transition JobRunner::enter(const RunnableStep& step, StepEntryMode mode) {
    StepResult result = run_step(step, mode, scope_, context_);
    const Transition transition = transition_after(*step.definition, result.end.status, *result.end.exit_status);
    if (transition.exit_status) context_.exit_status = transition.exit_status;
    result.end.job_exit_status = context_.exit_status;
    result.end.walk = {.number = ++number_,
                       .step = step.definition->id,
                       .outcome = "ran",
                       .taken = std::string(to_string(transition.kind)),
                       .to = transition.to};
    if (result.end.failure) failure_ = result.end.failure;
    scope_.repository.end_step(result.claim, result.end);
    return transition;
}

JobEnd JobRunner::end_by(const Transition& transition) {
    JobEnd end;
    if (transition.exit_status) context_.exit_status = transition.exit_status;
    switch (transition.kind) {
        case Transition::Kind::next:
        case Transition::Kind::finish:
        case Transition::Kind::end:
            end.status = BatchStatus::completed;
            break;
        case Transition::Kind::fail:
        case Transition::Kind::failed:
            end.status = BatchStatus::failed;
            end.failure = failure_;
            break;
        case Transition::Kind::stop:
            end.status = BatchStatus::stopped;
            end.restart_from = transition.restart;
            break;
    }
    return end;
}

JobEnd JobRunner::fail(std::string error_class, std::string message, std::string step) {
    JobEnd end;
    end.status = BatchStatus::failed;
    end.failure = Failure{std::move(error_class), std::move(message), std::move(step), {}};
    return end;
}

JobEnd JobRunner::finish(JobEnd end) {
    context_.batch_status = end.status;
    call_listeners(&JobListener::after_job, end);
    end.exit_status = context_.exit_status.value_or(std::string(to_string(end.status)));
    return end;
}

/// §8.1.2: an exception from a job listener fails the job. True if there was none.
bool JobRunner::call_listeners(void (JobListener::*method)(), JobEnd& end) {
    try {
        for (JobListener* listener : listeners_.job) (listener->*method)();
        return true;
    } catch (...) {
        end.status = BatchStatus::failed;
        end.failure = failure_of(std::current_exception(), scope_.registry);
        return false;
    }
}

}  // namespace fermata
