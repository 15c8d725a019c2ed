#include <fermata/model/resolved_job.hpp>

#include <algorithm>
#include <set>

namespace fermata {
namespace {

/// Collects the jobParameters of templates in the order in which they are given.
class ParameterUses {
public:
    void operator()(const Template& text) {
        for (const auto& piece : text.pieces()) {
            if (!piece.expression) continue;
            if (piece.op == Operator::job_parameters) note(piece);
            for (const auto& fallback : piece.fallback) (*this)(fallback);
        }
    }
    void operator()(const std::optional<Template>& text) {
        if (text) (*this)(*text);
    }
    void operator()(const PropertyDefinition& property) { (*this)(property.value); }
    void operator()(const ArtifactDefinition& artifact) {
        (*this)(artifact.ref);
        (*this)(artifact.properties);
    }
    void operator()(const std::optional<ArtifactDefinition>& artifact) {
        if (artifact) (*this)(*artifact);
    }
    void operator()(const ExceptionFilterDefinition::Class& entry) { (*this)(entry.name); }
    void operator()(const ExceptionFilterDefinition& filter) {
        (*this)(filter.include);
        (*this)(filter.exclude);
    }
    void operator()(const BatchletDefinition& work) { (*this)(work.batchlet); }
    void operator()(const ChunkDefinition& work) {
        for (const auto* text : {&work.checkpoint_policy, &work.item_count, &work.time_limit}) (*this)(*text);
        (*this)(work.skip_limit);
        (*this)(work.retry_limit);
        (*this)(work.reader);
        (*this)(work.processor);
        (*this)(work.writer);
        (*this)(work.checkpoint_algorithm);
        for (const auto* filter : {&work.skippable, &work.retryable, &work.no_rollback}) (*this)(*filter);
    }
    void operator()(const TransitionDefinition& transition) {
        (*this)(transition.on);
        (*this)(transition.to);
        (*this)(transition.exit_status);
        (*this)(transition.restart);
    }
    void operator()(const StepDefinition& step) {
        (*this)(step.start_limit);
        (*this)(step.allow_start_if_complete);
        (*this)(step.next);
        (*this)(step.properties);
        (*this)(step.listeners);
        std::visit(*this, step.work);
        if (step.partition) (*this)(*step.partition);
        (*this)(step.transitions);
    }
    void operator()(const PartitionPlanDefinition::Properties& group) {
        (*this)(group.partition);
        (*this)(group.properties);
    }
    void operator()(const PartitionDefinition& partition) {
        (*this)(partition.mapper);
        if (partition.plan) {
            (*this)(partition.plan->partitions);
            (*this)(partition.plan->threads);
            (*this)(partition.plan->properties);
        }
        for (const auto* artifact : {&partition.collector, &partition.analyzer, &partition.reducer}) (*this)(*artifact);
        (*this)(partition.workers);
        (*this)(partition.turn);
    }
    void operator()(const DecisionDefinition& decision) {
        (*this)(decision.decider);
        (*this)(decision.transitions);
    }
    void operator()(const FlowDefinition& flow) {
        (*this)(flow.next);
        (*this)(flow.elements);
        (*this)(flow.transitions);
    }
    void operator()(const SplitDefinition& split) {
        (*this)(split.next);
        (*this)(split.flows);
    }
    void operator()(const ElementDefinition& element) {
        std::visit([this](const auto& it) { (*this)(it); }, element.what);
    }
    void operator()(const JobDefinition& job) {
        (*this)(job.restartable);
        (*this)(job.properties);
        (*this)(job.listeners);
        (*this)(job.elements);
    }
    template <class T>
    void operator()(const std::vector<T>& parts) {
        for (const auto& part : parts) (*this)(part);
    }

    std::vector<ParameterUse> uses;

private:
    void note(const Template::Piece& piece) {
        std::optional<std::string> fallback;
        if (!piece.fallback.empty()) fallback = piece.fallback.front().source();
        const auto known = std::ranges::find(uses, piece.name, &ParameterUse::name);
        if (known == uses.end()) {
            uses.push_back({piece.name, fallback, piece.at});
        } else if (!fallback) {
            known->fallback.reset();
        }
    }
};

}  // namespace

std::vector<ParameterUse> parameters_of(const JobDefinition& job) {
    ParameterUses collect;
    collect(job);
    return std::move(collect.uses);
}

}  // namespace fermata
