#include "partition_run.hpp"

#include "batchlet_step.hpp"
#include "chunk_step.hpp"
#include "end_status.hpp"
#include "failure.hpp"
#include "step_waits.hpp"
#include "storable.hpp"

#include <fmt/format.h>

namespace fermata {
namespace {

/// Asks the collector last in each chunk, so that what it gives is committed with the chunk.
class CollectingListener final : public ChunkListener {
public:
    CollectingListener(PartitionCollector& collector, Outbox& outbox) : collector_(collector), outbox_(outbox) {}
    void after_chunk() override { outbox_.put(collector_.collect_partition_data()); }

private:
    PartitionCollector& collector_;
    Outbox& outbox_;
};

class PartitionRun {
public:
    PartitionRun(const PartitionSurroundings& around, const PartitionExecution& partition, StepEntryMode mode,
                 const std::vector<CollectedData>& collected)
        : PartitionRun(around, partition, mode != StepEntryMode::start,
                       around.job.repository.enter_partition(around.claim, partition.number, mode), collected) {}
    PartitionRun(const PartitionSurroundings& around, const PartitionExecution& partition, bool adopted,
                 StepEntry entry, const std::vector<CollectedData>& collected)
        : around_(around),
          partition_(partition),
          collected_(collected),
          adopted_(adopted),
          entry_(std::move(entry)),
          progress_(entry_.state.progress),
          job_context_(around.job_context),
          outbox_([this](std::string data) { around_.deliver(partition_.number, std::move(data)); }),
          waits_(around.job, entry_.state),
          scope_{around.job, around.stop, entry_, job_context_, context_, listeners_, adopted_} {
        job_context_.exit_status.reset();
        job_context_.transient_user_data.reset();
        context_.step_name = around.claim.step;
        context_.step_execution_id = around.claim.id;
        context_.partition = partition.number;
        context_.batch_status = BatchStatus::started;
        context_.persistent_user_data = entry_.state.progress.user_data;
        context_.epoch = entry_.claim.epoch;
        context_.job = &job_context_;
        context_.log = around.step_context.log;
        context_.stop = &around.stop.signal();
        context_.exit_status.watch(around.stop.signal());
        if (adopted_) context_.exit_status.restore(progress_.exit_status);
        context_.drivers = &around.job.drivers;
        context_.owner_fd = around.job.owner_fd;
        context_.waits = &waits_;
    }

    void is_shown(const Metrics& metrics) { scope_.shown = metrics; }
    /// It shares its slot with whatever `worker` could run there.
    void take_turns(Duration length, const Worker& worker) {
        turn_.emplace(length, [this, &worker] { return around_.job.repository.others_wait(entry_.claim, worker); });
        scope_.turn = &*turn_;
    }

    PartitionOutcome run() {
        StepOutcome outcome = attempt([&] { return work(); });
        make_storable(context_);
        if (std::holds_alternative<Paused>(outcome)) return rested();
        PartitionEnd end{
            .status = status_of(outcome), .exit_status = {}, .progress = {}, .failure = {}, .collected = {}};
        if (is_batchlet_) {
            StepOutcome after = attempt([&]() -> StepOutcome {
                if (collector_) end.collected = collector_->collect_partition_data();
                return Completed{};
            });
            if (std::holds_alternative<Failed>(after) && !std::holds_alternative<Failed>(outcome)) outcome = after;
            end.status = status_of(outcome);
        }
        end.cut = std::holds_alternative<Cut>(outcome);
        make_storable(context_);  // a collector may say more
        end.exit_status = exit_status_of(context_, outcome);
        end.progress = progress_;
        end.progress.user_data = context_.persistent_user_data;
        end.progress.exit_status = end.exit_status;
        if (const auto* failed = std::get_if<Failed>(&outcome)) end.failure = failed->failure;
        end.progress.pause.reset();
        if (const StepPause* pause = pause_after(context_, outcome)) end.progress.pause = kept(*pause, entry_.state);
        around_.job.require_ours();
        around_.job.repository.end_partition(entry_.claim, end);
        return {.status = end.status,
                .exit_status = *end.exit_status,
                .metrics = end.progress.metrics,
                .failure = end.failure,
                .collected = end.collected,
                .pause = unserved(end.progress, entry_.state),
                .cut = end.cut};
    }

private:
    PartitionOutcome rested() {
        progress_.user_data = context_.persistent_user_data;
        progress_.exit_status = context_.exit_status;
        around_.job.require_ours();
        if (turn_ && turn_->was_over() && !wants_to_rest(context_)) {
            around_.job.repository.give_up_turn(entry_.claim, progress_);
            return resting();
        }
        const PauseOpened opened = around_.job.repository.rest_partition(entry_.claim, rest_of(context_, progress_));
        if (opened.open) around_.job.pause.opened(opened.epoch);
        return resting();
    }
    [[nodiscard]] PartitionOutcome resting() const {
        return {.status = BatchStatus::paused,
                .exit_status = {},
                .metrics = progress_.metrics,
                .failure = {},
                .collected = {}};
    }
    template <class Action>
    StepOutcome attempt(Action&& action) {
        return outcome_of(scope_.job, action, [this](const std::exception_ptr& error) { return failed(error); });
    }
    StepOutcome failed(const std::exception_ptr& error) {
        context_.exception = error;
        Failure failure = failure_of(error, around_.job.registry, around_.claim.step);
        failure.message = fmt::format("partition {}: {}", partition_.number, failure.message);
        if (context_.log != nullptr)
            context_.log->line(
                fmt::format("step {} failed: {}: {}", failure.step, failure.error_class, failure.message));
        return Failed{std::move(failure)};
    }

    /// The step as it is with this partition's plan: nothing is left of partitionPlan.
    const RunnableStep& runnable() {
        const ResolvedStep& step = *around_.step.definition;
        if (!step.partition->uses_plan) return around_.step;
        PartitionResolution resolution = resolve_partition(step, partition_.properties);
        refuse(resolution.diagnostics);
        // By itself it is not divided.
        resolution.step->partition->plan = {};
        resolution.step->partition->mapper.reset();
        ResolvedJob alone{.id = step.id, .elements = {std::move(*resolution.step)}, .file = around_.job.file};
        Assembly assembly = assemble(std::move(alone), around_.job.registry, job_context_.parameters);
        refuse(assembly.diagnostics);
        own_ = std::move(assembly.job);
        return std::get<RunnableStep>(own_->elements.front().what);
    }
    static void refuse(const Diagnostics& diagnostics) {
        for (const Diagnostic& finding : diagnostics.all())
            if (finding.severity == Diagnostic::Severity::error) throw Error(ErrorKind::invalid, to_string(finding));
    }

    StepOutcome work() {
        is_batchlet_ = std::holds_alternative<RunnableBatchlet>(around_.step.work);
        if (is_batchlet_ && around_.stop.requested()) {
            if (around_.stop.is_cut()) return Cut{};
            return Stopped{};
        }
        if (is_batchlet_ && around_.job.pause.requested()) return Paused{};
        const RunnableStep& step = runnable();
        context_.properties =
            Properties("step \"" + around_.claim.step + "\"", around_.job.file, step.definition->properties);
        make_listeners(step);
        make_collector(step);
        return std::visit([&](const auto& work) { return run_work(work); }, step.work);
    }
    /// Step listeners belong to the step, not to its partitions.
    void make_listeners(const RunnableStep& step) {
        const auto& definitions = step.definition->listeners;
        for (std::size_t i = 0; i < definitions.size(); ++i) {
            const Properties properties = scope_.properties_of("listener", definitions[i]);
            ListenerInstance instance = step.listeners[i]->make_listener({properties, &context_, job_context_});
            instance.step = nullptr;
            listeners_.add(std::move(instance));
        }
    }
    void make_collector(const RunnableStep& step) {
        if (step.partition.collector == nullptr) return;
        const Properties properties = scope_.properties_of("collector", *step.definition->partition->collector);
        collector_ = step.partition.collector->make_collector({properties, &context_, job_context_});
        if (is_batchlet_) return;
        scope_.outbox = &outbox_;
        listeners_.chunk.push_back(&collecting_.emplace(*collector_, outbox_));
    }

    StepOutcome run_work(const RunnableBatchlet& work) { return run_batchlet(work, scope_); }
    StepOutcome run_work(const RunnableChunk& work) {
        ChunkStep chunk(work, scope_);
        deliver_again(chunk.progress().sequence);
        StepOutcome outcome = chunk.explained(attempt([&] { return chunk.run(); }));
        chunk.flush();
        progress_ = chunk.progress();
        return outcome;
    }
    void deliver_again(std::int64_t committed) {
        for (const CollectedData& data : collected_)
            if (data.partition == partition_.number && data.sequence <= committed)
                around_.deliver(partition_.number, data.data);
    }

    const PartitionSurroundings& around_;
    const PartitionExecution& partition_;
    const std::vector<CollectedData> collected_;
    bool adopted_;
    bool is_batchlet_ = false;
    StepEntry entry_;
    Progress progress_;
    JobContext job_context_;
    StepContext context_;
    ListenerChain listeners_;
    std::optional<RunnableJob> own_;
    std::unique_ptr<PartitionCollector> collector_;
    std::optional<CollectingListener> collecting_;
    Outbox outbox_;
    StepWaits waits_;
    std::optional<Turn> turn_;
    StepScope scope_;
};

}  // namespace

std::optional<PartitionOutcome> run_partition(const PartitionSurroundings& around, const PartitionExecution& partition,
                                              const std::vector<CollectedData>& collected) {
    const bool is_new = partition.status == BatchStatus::starting;
    StepEntryMode mode = is_new                                     ? StepEntryMode::start
                         : partition.status == BatchStatus::started ? StepEntryMode::adopt
                                                                    : StepEntryMode::resume;
    if (around.stop.requested() ? is_new : around.job.pause.requested()) return std::nullopt;
    PartitionOutcome outcome = PartitionRun(around, partition, mode, collected).run();
    mode = StepEntryMode::resume;
    const auto may_rest = [&] {
        return !around.stop.is_cut() && (around.job.pause.requested() || around.stop.requested());
    };
    // Its pause was complete before it was entered, or was withdrawn: nothing waits.
    while (outcome.status == BatchStatus::paused && !may_rest())
        outcome = PartitionRun(around, partition, mode, {}).run();
    return outcome;
}

Metrics run_claimed_partition(const PartitionSurroundings& around, const ClaimedPartition& claimed,
                              const Worker& worker, const Metrics& shown) {
    PartitionRun run(around, claimed.partition, claimed.begun, claimed.entry, {});
    run.is_shown(shown);
    if (const auto turn = around.step.definition->partition->turn) run.take_turns(*turn, worker);
    return run.run().metrics;
}

}  // namespace fermata
