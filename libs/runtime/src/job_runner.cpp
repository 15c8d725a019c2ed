#include "job_runner.hpp"

#include "failure.hpp"
#include "notify.hpp"
#include "storable.hpp"

#include <fmt/format.h>

namespace fermata {

JobRunner::JobRunner(Walk::Plan plan, JobScope& scope, JobContext context, std::optional<WalkResumed> resumed)
    : job_(plan.job), scope_(scope), context_(std::move(context)), plan_(std::move(plan)) {
    walk_.emplace(plan_, scope_, std::move(resumed));
}

void JobRunner::run() {
    const auto end = walk();
    if (end) scope_.repository.end_execution(scope_.claim, *end);
    {
        auto display = scope_.display.lock();
        display->status = end ? end->status : BatchStatus::paused;
    }
    const bool may_notify = !walk_->rested() || walk_->rested()->notifies;
    const bool serves = scope_.claimer == nullptr;  // then what rests holds no slot: the service sends what it left
    if (!end && may_notify && !serves)
        send_notifications(scope_.repository, {scope_.registry, scope_.drivers, scope_.owner_fd, &context_});
}

std::optional<JobEnd> JobRunner::walk() {
    context_.batch_status = BatchStatus::started;
    JobEnd end;
    if (!make_listeners(end)) return finish(std::move(end));
    // Only the first owner calls beforeJob: it has been, once something was entered or the execution has rested.
    if (!walk_->has_begun() && !call_listeners(&JobListener::before_job, end)) return finish(std::move(end));
    return walk_to_rest();
}

std::optional<JobEnd> JobRunner::walk_to_rest() {
    for (;;) {
        WalkOutcome outcome = walk_->run(context_);
        if (walk_->rested()) return std::nullopt;
        scope_.require_ours();
        if (outcome.status != BatchStatus::paused) return finish(end_of(std::move(outcome)));
        switch (scope_.repository.rest_execution(scope_.claim, context_.exit_status, scope_.pause.hands_on())) {
            case Rested::paused:
            case Rested::handed_on:
                return std::nullopt;
            case Rested::stopping:
                outcome.status = BatchStatus::stopped;
                return finish(end_of(std::move(outcome)));
            case Rested::goes_on:
                break;
        }
        scope_.heed(scope_.repository.poll(scope_.claim));
        plan_.adopted = plan_.begun = true;
        walk_.emplace(plan_, scope_);
    }
}

/// One that cannot be made fails the job, and no listener is told of it: they come together or not at all.
bool JobRunner::make_listeners(JobEnd& end) {
    const auto& definitions = job_.job->listeners;
    try {
        for (std::size_t i = 0; i < definitions.size(); ++i) {
            const Properties properties("listener \"" + definitions[i].ref + "\"", scope_.file,
                                        definitions[i].properties);
            listeners_.add(job_.listeners[i]->make_listener({properties, nullptr, context_}));
        }
        return true;
    } catch (...) {
        listeners_ = {};
        fail(end);
        return false;
    }
}

JobEnd JobRunner::end_of(WalkOutcome outcome) {
    JobEnd end;
    end.status = outcome.status;
    end.failure = std::move(outcome.failure);
    end.restart_from = std::move(outcome.restart);
    return end;
}

JobEnd JobRunner::finish(JobEnd end) {
    context_.batch_status = end.status;
    call_listeners(&JobListener::after_job, end);
    make_storable(context_);
    end.exit_status = context_.exit_status.value_or(std::string(to_string(end.status)));
    return end;
}

/// §8.1.2: an exception from a job listener fails the job. True if there was none.
bool JobRunner::call_listeners(void (JobListener::*method)(), JobEnd& end) {
    try {
        for (JobListener* listener : listeners_.job) (listener->*method)();
        return true;
    } catch (...) {
        fail(end);
        return false;
    }
}

/// By the exception that is being handled.
void JobRunner::fail(JobEnd& end) const {
    end.status = BatchStatus::failed;
    end.failure = failure_of(std::current_exception(), scope_.registry);
}

}  // namespace fermata
