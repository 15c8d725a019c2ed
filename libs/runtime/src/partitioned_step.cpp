#include "partitioned_step.hpp"

#include "failure.hpp"
#include "shared_partitions.hpp"
#include "step_waits.hpp"

#include <fmt/format.h>

namespace fermata {

PartitionedStep::PartitionedStep(const RunnableStep& step, StepScope& scope, StepEntry& entry)
    : step_(step),
      scope_(scope),
      entry_(entry),
      around_{step,
              scope.job,
              scope.stop,
              entry.claim,
              scope.job_context,
              scope.context,
              [this](std::int64_t, std::string data) {
                  if (!shared_) tell(Data{std::move(data)});
              }} {
    make_artifacts();
}

void PartitionedStep::make_artifacts() {
    const ResolvedPartition& definition = *step_.definition->partition;
    const RunnablePartition& entries = step_.partition;
    const auto make = [&](const auto& factory, std::string_view kind, const ResolvedArtifact& artifact) {
        const Properties properties = scope_.properties_of(kind, artifact);
        return factory(ArtifactContext{properties, &scope_.context, scope_.job_context});
    };
    if (entries.reducer != nullptr) reducer_ = make(entries.reducer->make_reducer, "reducer", *definition.reducer);
    if (entries.mapper != nullptr) mapper_ = make(entries.mapper->make_mapper, "mapper", *definition.mapper);
    if (entries.analyzer != nullptr)
        analyzer_ = make(entries.analyzer->make_analyzer, "analyzer", *definition.analyzer);
}

/// §8.2.6.4: rollback unless every partition is COMPLETED, or was cut short, and no artifact threw; after… always.
StepOutcome PartitionedStep::run() {
    StepOutcome outcome = Completed{};
    std::exception_ptr error;
    const auto attempt = [&](auto&& action) {
        try {
            action();
        } catch (const std::exception& thrown) {
            if (is_fenced(thrown, scope_.job)) throw;
            if (!error) error = std::current_exception();
        } catch (...) {
            if (!error) error = std::current_exception();
        }
    };
    attempt([&] {
        outcome = map_and_run();
        if (reducer_ && is_complete(outcome)) reducer_->before_partitioned_step_completion();
    });
    if (!error && std::holds_alternative<Paused>(outcome))
        return outcome;  // not at its end: nothing is told to anybody
    const bool commits = !error && is_complete(outcome);
    if (reducer_ && !commits) attempt([&] { reducer_->rollback_partitioned_step(); });
    if (reducer_)
        attempt([&] {
            reducer_->after_partitioned_step_completion(commits ? PartitionStatus::commit : PartitionStatus::rollback);
        });
    if (error && !std::holds_alternative<Failed>(outcome)) std::rethrow_exception(error);
    return outcome;
}

StepOutcome PartitionedStep::map_and_run() {
    if (reducer_ && !scope_.adopted) reducer_->begin_partitioned_step();
    auto plan = scope_.adopted ? scope_.job.repository.plan_of(entry_.claim) : std::nullopt;
    if (!plan) plan = make_plan();
    if (plan->for_workers)
        share_partitions(*plan);
    else
        run_partitions(*plan);
    if (trouble_) std::rethrow_exception(trouble_);
    if (analyzer_error_) std::rethrow_exception(analyzer_error_);
    return fold();
}

// --- the plan

StoredPlan PartitionedStep::make_plan() {
    const ResolvedPartitionPlan& written = step_.definition->partition->plan;
    PlanRequest request{.partitions = written.partitions,
                        .threads = written.threads.value_or(0),
                        .properties = written.properties,
                        .forget_earlier = false};
    if (mapper_) request = ask_mapper();
    request.for_workers = step_.definition->partition->for_workers;
    StoredPlan plan = scope_.job.repository.store_plan(entry_, request);
    // What earlier partitions left behind is the reducer's to clean up, before any new one begins.
    if (request.forget_earlier && reducer_) reducer_->rollback_partitioned_step();
    return plan;
}

PlanRequest PartitionedStep::ask_mapper() {
    PartitionPlan plan = mapper_->map_partitions();
    const auto named = static_cast<std::int64_t>(plan.properties.size());
    if (plan.partitions < 0 || plan.threads < 0 || named > plan.partitions)
        throw Error(ErrorKind::invalid,
                    fmt::format("the mapper of step \"{}\" answered {} partitions, {} threads and properties of {} "
                                "partitions",
                                step_.definition->id, plan.partitions, plan.threads, named),
                    "partitions and threads are not negative, and properties are of partitions there are");
    const bool is_restart = entry_.state.starts > 1;
    return {.partitions = plan.partitions,
            .threads = plan.threads,
            .properties = std::move(plan.properties),
            .forget_earlier = plan.override_partitions && is_restart,
            .keep_properties = plan.keep_properties};
}

// --- running them

void PartitionedStep::run_partitions(const StoredPlan& plan) {
    const std::vector<CollectedData> collected =
        scope_.adopted ? scope_.job.repository.collected_of(entry_.claim.id) : std::vector<CollectedData>();
    if (scope_.adopted) take_unserved_pauses();
    std::vector<const PartitionExecution*> open;
    for (const PartitionExecution& partition : plan.partitions) {
        if (partition.ended)
            replay_ended(partition, collected);
        else
            open.push_back(&partition);
    }
    Crew::Gang::Work work{.count = open.size(),
                          .width = plan.threads > 0 ? static_cast<std::size_t>(plan.threads) : open.size(),
                          .child = [&](std::size_t i) { run_child(*open[i], collected); }};
    if (analyzer_) work.attend = [this] { analyze_news(); };
    Crew::Gang gang(scope_.job.crew, std::move(work));
    gang_ = &gang;
    if (analyzer_ && !news_.lock()->empty()) gang.call_coordinator();
    gang.run();
    gang_ = nullptr;
}

/// What they ended with is learnt from their rows, whoever ran them; so is what an owner before had learnt.
void PartitionedStep::share_partitions(const StoredPlan& plan) {
    shared_ = true;
    SharedPartitions partitions(around_, plan, scope_.adopted,
                                {.collected =
                                     [this](const std::string& data) {
                                         tell(Data{data});
                                         analyze_news();
                                     },
                                 .ended =
                                     [this](const PartitionExecution& partition) {
                                         tell_ended(partition);
                                         if (analyzer_) analyze_news();
                                     },
                                 .gives_up = [this] { return give_up_.load(); }});
    const SharedPartitions::Left left = partitions.run();
    metrics_ = sum(metrics_, left.metrics);
    take_unserved_pauses();
    if (!left.some) return;
    if (scope_.stop.is_cut())
        cut_ = true;
    else
        (scope_.stop.requested() ? stopped_ : paused_) = true;
}

void PartitionedStep::run_child(const PartitionExecution& partition, const std::vector<CollectedData>& collected) {
    if (give_up_) return;
    try {
        const auto outcome = run_partition(around_, partition, collected);
        if (outcome) {
            note(*outcome);
            if (outcome->status != BatchStatus::paused)
                tell(Ended{outcome->status, outcome->exit_status, outcome->collected});
            return;
        }
        const std::lock_guard lock(mutex_);
        if (scope_.stop.is_cut())
            cut_ = true;
        else
            (scope_.stop.requested() ? stopped_ : paused_) = true;
    } catch (...) {
        give_up_ = true;
        const std::lock_guard lock(mutex_);
        if (!trouble_) trouble_ = std::current_exception();
    }
}

/// It ended under the owner before: told to this analyzer as if it had ended just now.
void PartitionedStep::replay_ended(const PartitionExecution& partition, const std::vector<CollectedData>& collected) {
    for (const CollectedData& data : collected)
        if (data.partition == partition.number) tell(Data{data.data});
    tell_ended(partition);
}

/// As its row says.
void PartitionedStep::tell_ended(const PartitionExecution& partition) {
    const std::string exit_status = partition.exit_status.value_or(std::string(to_string(partition.status)));
    note({.status = partition.status,
          .exit_status = exit_status,
          .metrics = partition.metrics,
          .failure = partition.failure,
          .collected = {},
          .cut = partition.cut});
    tell(Ended{partition.status, exit_status});
}

/// Of partitions that asked for one that comes after the step.
void PartitionedStep::take_unserved_pauses() {
    for (const std::string& asked : scope_.job.repository.unserved_pauses_of(entry_.claim))
        if (!pause_asked_) pause_asked_ = asked_in(asked);
}

void PartitionedStep::note(const PartitionOutcome& outcome) {
    const std::lock_guard lock(mutex_);
    metrics_ = sum(metrics_, outcome.metrics);
    if (outcome.failure && !failure_) failure_ = outcome.failure;
    if (outcome.status == BatchStatus::stopped) stopped_ = true;
    if (outcome.status == BatchStatus::paused) paused_ = true;
    if (outcome.cut) cut_ = true;
    if (outcome.pause && !pause_asked_) pause_asked_ = outcome.pause;
}

// --- the analyzer

void PartitionedStep::tell(News news) {
    if (!analyzer_) return;
    news_.lock()->push_back(std::move(news));
    if (gang_ != nullptr) gang_->call_coordinator();
}

/// After an exception the step has failed: no further partition begins, and nothing more is analyzed.
void PartitionedStep::analyze_news() {
    std::deque<News> news;
    std::swap(news, *news_.lock());
    for (const News& each : news) {
        if (analyzer_error_) return;
        try {
            if (const auto* data = std::get_if<Data>(&each)) analyzer_->analyze_collector_data(data->data);
            if (const auto* ended = std::get_if<Ended>(&each)) {
                if (ended->collected) analyzer_->analyze_collector_data(*ended->collected);
                analyzer_->analyze_status(ended->status, ended->exit_status);
            }
        } catch (...) {
            analyzer_error_ = std::current_exception();
            give_up_ = true;
        }
    }
}

/// A partition that rests has not ended, so neither has the step, whatever became of the others.
StepOutcome PartitionedStep::fold() const {
    if (paused_ && !scope_.job.stop.requested()) return Paused{};
    if (failure_) return Failed{*failure_};
    if (stopped_ || paused_) return Stopped{};
    if (cut_) return Cut{};
    return Completed{};
}

}  // namespace fermata
