#include "running_execution.hpp"

#include "failure.hpp"

#include <utility>

namespace fermata {

RunningExecution::RunningExecution(Surroundings surroundings, RunnableJob job, Start start, JobContext context)
    : surroundings_(surroundings),
      job_(std::move(job)),
      start_(std::move(start)),
      context_(std::move(context)),
      occupancy_(start_.ended),
      scope_{surroundings_.repository,
             surroundings_.registry,
             surroundings_.drivers,
             stop_,
             pause_,
             step_stops_,
             display_,
             start_.claim,
             job_.job->file,
             start_.accept_sink,
             surroundings_.owner_fd,
             surroundings_.crew,
             surroundings_.chime,
             occupancy_,
             surroundings_.actor,
             surroundings_.claimer,
             surroundings_.helpers,
             surroundings_.doorbell} {
    auto display = display_.lock();
    display->id = start_.claim.execution;
    display->status = BatchStatus::started;
    for (const ResolvedStep* step : steps_of(job_.job->elements)) display->ahead.push_back(step->id);
    returned_ = surroundings_.threads.run([this] { run(); });
}

RunningExecution::~RunningExecution() { returned_.wait(); }

void RunningExecution::run() {
    try {
        surroundings_.watcher.add(scope_);  // here, so that a thread that cannot be started leaves nothing behind
        if (start_.resumed)
            scope_.heed(start_.resumed->requests);
        else if (start_.adopted)
            scope_.heed(surroundings_.repository.poll(start_.claim));  // what its owner was asked
        JobRunner runner({job_, start_.start_at, start_.adopted, start_.begun}, scope_, context_,
                         std::exchange(start_.resumed, std::nullopt));
        runner.run();
        memory_ = runner.take_memory();
    } catch (...) {
        trouble_ = std::current_exception();
    }
    surroundings_.watcher.remove(scope_);
    display_.lock()->ended = true;
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
        ended_.notify_all();
    }
    if (start_.ended) start_.ended();
}

bool RunningExecution::has_ended() {
    const std::lock_guard lock(mutex_);
    return has_ended_;
}

std::optional<StepClaim> RunningExecution::rested_in() {
    const std::lock_guard lock(mutex_);
    if (!has_ended_ || !memory_) return std::nullopt;
    return memory_->rested;
}

RunningExecution::Left RunningExecution::take_left() {
    const std::lock_guard lock(mutex_);
    WalkMemory memory = std::move(*memory_);
    memory_.reset();
    return {std::move(job_), context_, start_.start_at, std::move(memory)};
}

void RunningExecution::request_stop(StopReason reason, bool now) {
    if (now)
        stop_.request_now(reason);
    else
        stop_.request(reason);
}

void RunningExecution::look_for_requests() {
    try {
        scope_.heed(surroundings_.repository.poll(start_.claim));
    } catch (const std::exception&) {
        // It is recorded: the watcher or the next commit brings it.
    }
}

bool RunningExecution::wait(std::optional<Duration> timeout) {
    std::unique_lock lock(mutex_);
    const auto ended = [this] { return has_ended_; };
    if (timeout) return ended_.wait_for(lock, *timeout, ended);
    ended_.wait(lock, ended);
    return true;
}

RunningJob RunningExecution::display() {
    RunningJob shown = *display_.lock();
    if (shown.status != BatchStatus::started) return shown;
    if (stop_.requested())
        shown.status = BatchStatus::stopping;
    else if (pause_.asked())
        shown.status = BatchStatus::pausing;
    return shown;
}

}  // namespace fermata
