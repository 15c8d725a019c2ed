#include "step_runner.hpp"

#include "batchlet_step.hpp"
#include "chunk_step.hpp"
#include "end_status.hpp"
#include "failure.hpp"
#include "partitioned_step.hpp"
#include "step_log.hpp"
#include "step_waits.hpp"
#include "storable.hpp"

#include <fermata/base/clock.hpp>

#include <fmt/format.h>
#include <fermata/runtime/step_log_path.hpp>

namespace fermata {
namespace {

class StepRun {
public:
    StepRun(const RunnableStep& step, const StepStart& start, JobScope& job, JobContext& job_context)
        : step_(step),
          definition_(without_plan(*step.definition)),
          occupied_(job.occupancy),
          entry_(start.entered ? *start.entered
                               : job.repository.enter_step(job.claim, step.definition->id, start.mode, start.signals)),
          stop_(job.stop),
          running_(job.step_stops, job.repository, entry_.claim, stop_),
          log_(step_log_path(job.repository.data_folder(), job.claim.execution, step.definition->id)),
          progress_(entry_.state.progress),
          waits_(job, entry_.state),
          scope_{job, stop_, entry_, job_context, context_, listeners_, goes_on(start.mode)} {
        context_.step_name = step.definition->id;
        context_.step_execution_id = entry_.claim.id;
        context_.properties = Properties("step \"" + step.definition->id + "\"", job.file, definition_.properties);
        context_.batch_status = BatchStatus::started;
        context_.persistent_user_data = entry_.state.progress.user_data;
        context_.epoch = entry_.claim.epoch;
        context_.job = &job_context;
        context_.log = &log_;
        context_.stop = &stop_.signal();
        context_.exit_status.watch(stop_.signal());
        if (scope_.adopted) context_.exit_status.restore(progress_.exit_status);  // beforeStep is not called again
        context_.drivers = &job.drivers;
        context_.owner_fd = job.owner_fd;
        context_.waits = &waits_;
        show_entry();
    }

    StepResult run() {
        StepOutcome outcome = attempt([&] { return work(); });
        make_storable(context_);
        context_.batch_status = status_of(outcome);
        if (std::holds_alternative<Paused>(outcome)) return rested();
        outcome = after_step(std::move(outcome));
        make_storable(context_);
        show_end(outcome);
        return result(outcome);
    }

private:
    static bool goes_on(StepEntryMode mode) { return mode == StepEntryMode::adopt || mode == StepEntryMode::resume; }
    template <class Action>
    StepOutcome attempt(Action&& action) {
        return outcome_of(scope_.job, action, [this](const std::exception_ptr& error) { return failed(error); });
    }
    StepOutcome failed(const std::exception_ptr& error) {
        context_.exception = error;
        Failure failure = failure_of(error, scope_.job.registry, step_.definition->id);
        log_.line(fmt::format("step {} failed: {}: {}", failure.step, failure.error_class, failure.message));
        return Failed{std::move(failure)};
    }

    StepOutcome work() {
        make_listeners();
        if (!scope_.adopted)  // once a StepExecution, whoever owns it
            for (StepListener* listener : listeners_.step) listener->before_step();
        const bool partitioned = step_.definition->partition.has_value();
        if (stop_.is_cut()) {  // what is to be put in place is, even so
            if (!partitioned && std::holds_alternative<RunnableBatchlet>(step_.work)) return Cut{};
        } else if (stop_.requested() && !(partitioned && scope_.adopted)) {
            return Stopped{};  // partitions the owner before had entered are to be ended in their own way
        }
        if (partitioned) return run_partitions();
        return std::visit([&](const auto& runnable) { return run_work(runnable); }, step_.work);
    }
    /// What of a partitioned step is not one partition's sees nothing of any plan.
    static ResolvedStep without_plan(const ResolvedStep& step) {
        if (!step.partition || !step.partition->uses_plan) return step;
        PartitionResolution resolution = resolve_partition(step, {});
        if (resolution.step) return std::move(*resolution.step);
        return step;
    }
    void make_listeners() {
        const auto& definitions = definition_.listeners;
        for (std::size_t i = 0; i < definitions.size(); ++i) {
            const Properties properties = scope_.properties_of("listener", definitions[i]);
            listeners_.add(step_.listeners[i]->make_listener({properties, &context_, scope_.job_context}));
        }
    }
    StepOutcome run_work(const RunnableBatchlet& runnable) { return run_batchlet(runnable, scope_); }
    StepOutcome run_work(const RunnableChunk& runnable) {
        ChunkStep chunk(runnable, scope_);
        StepOutcome outcome = chunk.explained(attempt([&] { return chunk.run(); }));
        chunk.flush();
        progress_ = chunk.progress();
        return outcome;
    }

    StepOutcome run_partitions() {
        PartitionedStep partitions(step_, scope_, entry_);
        StepOutcome outcome = attempt([&] { return partitions.run(); });
        if (!context_.pause_asked) context_.pause_asked = partitions.pause_asked();
        progress_ = entry_.state.progress;
        progress_.metrics = partitions.metrics();
        context_.metrics = progress_.metrics;
        return outcome;
    }

    /// §8.2.7: afterStep runs however the step ended; an exception there fails it.
    StepOutcome after_step(StepOutcome outcome) {
        StepOutcome after = attempt([&]() -> StepOutcome {
            for (StepListener* listener : listeners_.step) listener->after_step();
            return Completed{};
        });
        if (std::holds_alternative<Failed>(after) && !std::holds_alternative<Failed>(outcome)) return after;
        return outcome;
    }

    /// It has not ended: no afterStep, no exit status.
    StepResult rested() {
        progress_.user_data = context_.persistent_user_data;
        progress_.exit_status = context_.exit_status;
        show(BatchStatus::paused);
        return {entry_.claim, {}, rest_of(context_, progress_)};
    }

    StepResult result(const StepOutcome& outcome) {
        StepEnd end;
        end.status = status_of(outcome);
        end.exit_status = exit_status_of(context_, outcome);
        end.progress = progress_;
        end.progress.user_data = context_.persistent_user_data;
        end.progress.exit_status = end.exit_status;
        end.partitioned = step_.definition->partition.has_value();
        end.progress.pause.reset();
        if (const auto* failed = std::get_if<Failed>(&outcome)) end.failure = failed->failure;
        if (const StepPause* pause = pause_after(context_, outcome)) end.pause = pause->what;
        if (const auto* cut = std::get_if<Cut>(&outcome))
            end.cut = CutShort{progress_.metrics.read + progress_.metrics.read_skips, cut->position};
        return {entry_.claim, std::move(end), std::nullopt};
    }

    void show_entry() {
        auto display = scope_.job.display.lock();
        std::erase(display->ahead, step_.definition->id);
        std::erase_if(display->steps, [&](const RunningStep& shown) { return shown.id == entry_.claim.id; });
        display->steps.push_back({.name = step_.definition->id,
                                  .id = entry_.claim.id,
                                  .status = BatchStatus::started,
                                  .metrics = entry_.state.progress.metrics,
                                  .before = entry_.state.progress.metrics,
                                  .started = Clock::system().now()});
    }
    void show(BatchStatus status) {
        auto display = scope_.job.display.lock();
        for (RunningStep& shown : display->steps)
            if (shown.id == entry_.claim.id) shown.status = status;
    }
    void show_end(const StepOutcome& outcome) {
        auto display = scope_.job.display.lock();
        for (RunningStep& shown : display->steps) {
            if (shown.id != entry_.claim.id) continue;
            shown.status = status_of(outcome);
            shown.ended = Clock::system().now();
            shown.exit_status = exit_status_of(context_, outcome);
            shown.metrics = progress_.metrics;
        }
    }

    const RunnableStep& step_;
    const ResolvedStep definition_;
    const Occupancy::Step occupied_;
    StepEntry entry_;
    StepStop stop_;
    const StepStops::Running running_;
    FileStepLog log_;
    Progress progress_;
    StepContext context_;
    ListenerChain listeners_;
    StepWaits waits_;
    StepScope scope_;
};

}  // namespace

StepResult run_step(const RunnableStep& step, const StepStart& start, JobScope& job, JobContext& job_context) {
    return StepRun(step, start, job, job_context).run();
}

}  // namespace fermata
