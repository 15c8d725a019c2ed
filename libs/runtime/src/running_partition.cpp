#include "running_partition.hpp"

#include <fermata/runtime/step_log_path.hpp>

namespace fermata {
namespace {

const RunnableStep* find_in(const RunnableElement& element, std::string_view id) {
    if (const auto* step = std::get_if<RunnableStep>(&element.what)) return step->definition->id == id ? step : nullptr;
    if (const auto* flow = std::get_if<RunnableFlow>(&element.what)) return find_step(flow->elements, id);
    if (const auto* split = std::get_if<RunnableSplit>(&element.what))
        for (const RunnableFlow& flow : split->flows)
            if (const RunnableStep* found = find_step(flow.elements, id)) return found;
    return nullptr;
}

}  // namespace

const RunnableStep* find_step(const std::vector<RunnableElement>& elements, std::string_view id) {
    for (const RunnableElement& element : elements)
        if (const RunnableStep* found = find_in(element, id)) return found;
    return nullptr;
}

RunningPartition::RunningPartition(const RunningExecution::Surroundings& surroundings,
                                   std::shared_ptr<const SharedJob> job, Start start)
    : job_(std::move(job)),
      start_(std::move(start)),
      watcher_(surroundings.watcher),
      chime_(surroundings.chime),
      occupancy_({}),
      scope_{surroundings.repository,
             surroundings.registry,
             surroundings.drivers,
             stop_,
             pause_,
             step_stops_,
             display_,
             start_.step.execution,
             job_->job.job->file,
             start_.accept_sink,
             surroundings.owner_fd,
             surroundings.crew,
             surroundings.chime,
             occupancy_,
             surroundings.actor,
             nullptr,
             0,
             nullptr,
             start_.claimed.entry.claim},
      step_stop_(stop_),
      log_(step_log_path(surroundings.repository.data_folder(), start_.step.execution.execution, start_.step.step)),
      around_{*find_step(job_->job.elements, start_.step.step),
              scope_,
              step_stop_,
              start_.step,
              job_->context,
              step_context_,
              [](std::int64_t, const std::string&) {}} {
    step_context_.log = &log_;
    thread_ = std::jthread([this] { run(); });
}

void RunningPartition::run() {
    try {
        watcher_.add(scope_);
        const StepStops::Running listed(step_stops_, scope_.repository, start_.step, step_stop_);
        scope_.heed(scope_.poll());
        std::ignore = run_claimed_partition(around_, start_.claimed, start_.worker);
    } catch (...) {
        trouble_ = std::current_exception();
    }
    watcher_.remove(scope_);
    has_ended_ = true;
    chime_.ring();
    if (start_.ended) start_.ended();
}

}  // namespace fermata
