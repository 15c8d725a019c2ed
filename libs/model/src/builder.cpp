#include <fermata/model/builder.hpp>

#include <fermata/base/error.hpp>

#include <fmt/format.h>

namespace fermata {

ChunkDefinition& StepBuilder::chunk(std::string_view word) {
    if (auto* chunk = std::get_if<ChunkDefinition>(&step_.work)) return *chunk;
    throw Error(ErrorKind::invalid, fmt::format("step \"{}\" is a batchlet step: it has no {}", step_.id, word),
                "begin it with chunk_step");
}

PartitionDefinition& StepBuilder::partition() { return step_.partition ? *step_.partition : step_.partition.emplace(); }

Template BuilderBase::value(std::string_view text) { return Template::parse(text, {}, {}, diagnostics_); }

ArtifactDefinition BuilderBase::artifact(std::string_view ref, const PropertyList& properties) {
    ArtifactDefinition artifact{.ref = value(ref), .properties = {}, .at = {}};
    for (const auto& [name, text] : properties) artifact.properties.push_back({name, value(text), {}});
    return artifact;
}

TransitionDefinition BuilderBase::leads(std::string_view on, std::string_view to) {
    TransitionDefinition transition;
    transition.on = value(on);
    transition.to = value(to);
    return transition;
}

TransitionDefinition BuilderBase::pauses(std::string_view on, const PauseRequest& what, std::string_view to) {
    TransitionDefinition transition = leads(on, to);
    transition.kind = TransitionDefinition::Kind::pause;
    PauseDefinition& pause = transition.pause.emplace();
    pause.point = value(what.point);
    if (!what.message.empty()) pause.message = value(what.message);
    pause.signals = value(std::to_string(what.signals));
    if (what.timeout) {
        pause.timeout = value(fmt::format("{}ms", what.timeout->count() / 1000));
        pause.on_timeout = value(to_string(what.on_timeout));
    }
    if (what.notify) pause.notify = value(*what.notify);
    return transition;
}

TransitionDefinition BuilderBase::ends(TransitionDefinition::Kind kind, std::string_view on,
                                       std::string_view exit_status, std::string_view restart) {
    TransitionDefinition transition;
    transition.kind = kind;
    transition.on = value(on);
    if (!exit_status.empty()) transition.exit_status = value(exit_status);
    if (!restart.empty()) transition.restart = value(restart);
    return transition;
}

void StepBuilder::classes(ExceptionFilterDefinition& filter, const Names& exceptions, const Names& except) {
    for (const auto& name : exceptions) filter.include.push_back({value(name), {}});
    for (const auto& name : except) filter.exclude.push_back({value(name), {}});
}

template <class Builder>
Builder& WaysOut<Builder>::on(std::string_view on, std::string_view next) {
    return add(leads(on, next));
}

template <class Builder>
Builder& WaysOut<Builder>::end_on(std::string_view on, std::string_view exit_status) {
    return add(ends(TransitionDefinition::Kind::end, on, exit_status));
}

template <class Builder>
Builder& WaysOut<Builder>::fail_on(std::string_view on, std::string_view exit_status) {
    return add(ends(TransitionDefinition::Kind::fail, on, exit_status));
}

template <class Builder>
Builder& WaysOut<Builder>::stop_on(std::string_view on, std::string_view exit_status, std::string_view restart) {
    return add(ends(TransitionDefinition::Kind::stop, on, exit_status, restart));
}

template <class Builder>
Builder& WaysOut<Builder>::pause_on(std::string_view on, const PauseRequest& what, std::string_view to) {
    return add(pauses(on, what, to));
}

template <class Builder>
Builder& WaysOut<Builder>::add(TransitionDefinition way) {
    auto& self = static_cast<Builder&>(*this);
    self.transitions().push_back(std::move(way));
    return self;
}

template class WaysOut<StepBuilder>;
template class WaysOut<DecisionBuilder>;
template class WaysOut<FlowBuilder>;

StepBuilder& StepBuilder::reader(std::string_view ref, const PropertyList& properties) {
    chunk("reader").reader = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::processor(std::string_view ref, const PropertyList& properties) {
    chunk("processor").processor = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::writer(std::string_view ref, const PropertyList& properties) {
    chunk("writer").writer = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::checkpoint_algorithm(std::string_view ref, const PropertyList& properties) {
    ChunkDefinition& definition = chunk("checkpoint algorithm");
    definition.checkpoint_policy = Template::literal("custom");
    definition.checkpoint_algorithm = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::time_limit(const Setting& seconds) {
    chunk("time limit").time_limit = value(seconds);
    return *this;
}

StepBuilder& StepBuilder::skip(const Names& exceptions, const std::optional<Setting>& limit, const Names& except) {
    ChunkDefinition& definition = chunk("skip limit");
    if (limit) definition.skip_limit = value(*limit);
    classes(definition.skippable, exceptions, except);
    return *this;
}

StepBuilder& StepBuilder::retry(const Names& exceptions, const std::optional<Setting>& limit, const Names& except) {
    ChunkDefinition& definition = chunk("retry limit");
    if (limit) definition.retry_limit = value(*limit);
    classes(definition.retryable, exceptions, except);
    return *this;
}

StepBuilder& StepBuilder::no_rollback(const Names& exceptions, const Names& except) {
    classes(chunk("rollback").no_rollback, exceptions, except);
    return *this;
}

StepBuilder& StepBuilder::listener(std::string_view ref, const PropertyList& properties) {
    step_.listeners.push_back(artifact(ref, properties));
    return *this;
}

StepBuilder& StepBuilder::property(std::string_view name, std::string_view text) {
    step_.properties.push_back({std::string(name), value(text), {}});
    return *this;
}

StepBuilder& StepBuilder::next(std::string_view step) {
    step_.next = value(step);
    return *this;
}

StepBuilder& StepBuilder::start_limit(const Setting& limit) {
    step_.start_limit = value(limit);
    return *this;
}

StepBuilder& StepBuilder::allow_start_if_complete(const Setting& allow) {
    step_.allow_start_if_complete = value(allow);
    return *this;
}

StepBuilder& StepBuilder::partitions(const Setting& count, const std::vector<PropertyList>& properties,
                                     const std::optional<Setting>& threads) {
    PartitionPlanDefinition plan;
    plan.partitions = value(count);
    if (threads) plan.threads = value(*threads);
    for (std::size_t i = 0; i < properties.size(); ++i) {
        auto& group = plan.properties.emplace_back();
        group.partition = Template::literal(std::to_string(i));
        for (const auto& [name, text] : properties[i]) group.properties.push_back({name, value(text), {}});
    }
    partition().plan = std::move(plan);
    return *this;
}

StepBuilder& StepBuilder::mapper(std::string_view ref, const PropertyList& properties) {
    partition().mapper = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::collector(std::string_view ref, const PropertyList& properties) {
    partition().collector = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::analyzer(std::string_view ref, const PropertyList& properties) {
    partition().analyzer = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::reducer(std::string_view ref, const PropertyList& properties) {
    partition().reducer = artifact(ref, properties);
    return *this;
}

StepBuilder& StepBuilder::for_workers(const Setting& which) {
    partition().workers = value(which);
    return *this;
}

StepBuilder& StepBuilder::turn(const Setting& length) {
    partition().turn = value(length);
    return *this;
}

StepDefinition StepBuilder::finish(Diagnostics& diagnostics) const {
    diagnostics.append(diagnostics_);
    if (const auto* chunk = std::get_if<ChunkDefinition>(&step_.work)) {
        if (chunk->reader.ref.empty()) diagnostics.error({}, {}, fmt::format("step \"{}\" has no reader", step_.id));
        if (chunk->writer.ref.empty()) diagnostics.error({}, {}, fmt::format("step \"{}\" has no writer", step_.id));
    }
    if (step_.partition && step_.partition->plan && step_.partition->mapper)
        diagnostics.error({}, {}, fmt::format("step \"{}\" has a plan and a mapper; only one can say", step_.id));
    return step_;
}

StepBuilder chunk_step(std::string_view id, const Setting& item_count) {
    StepBuilder builder;
    builder.step_.id = id;
    ChunkDefinition chunk;
    chunk.item_count = builder.value(item_count);
    builder.step_.work = std::move(chunk);
    return builder;
}

StepBuilder batchlet_step(std::string_view id, std::string_view ref, const PropertyList& properties) {
    StepBuilder builder;
    builder.step_.id = id;
    builder.step_.work = BatchletDefinition{builder.artifact(ref, properties)};
    return builder;
}

// ---- decisions, flows, splits

DecisionBuilder decision(std::string_view id, std::string_view decider, const PropertyList& properties) {
    DecisionBuilder builder;
    builder.decision_.id = id;
    builder.decision_.decider = builder.artifact(decider, properties);
    return builder;
}

FlowBuilder flow(std::string_view id) {
    FlowBuilder builder;
    builder.flow_.id = id;
    return builder;
}

FlowBuilder& FlowBuilder::step(const StepBuilder& step) {
    flow_.elements.emplace_back(step.finish(diagnostics_));
    return *this;
}

FlowBuilder& FlowBuilder::decision(const DecisionBuilder& decision) {
    diagnostics_.append(decision.diagnostics_);
    flow_.elements.emplace_back(decision.decision_);
    return *this;
}

FlowBuilder& FlowBuilder::flow(const FlowBuilder& flow) {
    diagnostics_.append(flow.diagnostics_);
    flow_.elements.emplace_back(flow.flow_);
    return *this;
}

FlowBuilder& FlowBuilder::split(const SplitBuilder& split) {
    diagnostics_.append(split.diagnostics_);
    flow_.elements.emplace_back(split.split_);
    return *this;
}

FlowBuilder& FlowBuilder::next(std::string_view element) {
    flow_.next = value(element);
    return *this;
}

SplitBuilder split(std::string_view id) {
    SplitBuilder builder;
    builder.split_.id = id;
    return builder;
}

SplitBuilder& SplitBuilder::flow(const FlowBuilder& flow) {
    diagnostics_.append(flow.diagnostics_);
    split_.flows.push_back(flow.flow_);
    return *this;
}

SplitBuilder& SplitBuilder::next(std::string_view element) {
    split_.next = value(element);
    return *this;
}

// ---- the job

JobBuilder& JobBuilder::property(std::string_view name, std::string_view text) {
    job_.properties.push_back({std::string(name), value(text), {}});
    return *this;
}

JobBuilder& JobBuilder::restartable(const Setting& restartable) {
    job_.restartable = value(restartable);
    return *this;
}

JobBuilder& JobBuilder::listener(std::string_view ref, const PropertyList& properties) {
    job_.listeners.push_back(artifact(ref, properties));
    return *this;
}

JobBuilder& JobBuilder::step(const StepBuilder& step) {
    job_.elements.emplace_back(step.finish(diagnostics_));
    return *this;
}

JobBuilder& JobBuilder::decision(const DecisionBuilder& decision) {
    diagnostics_.append(decision.diagnostics_);
    job_.elements.emplace_back(decision.decision_);
    return *this;
}

JobBuilder& JobBuilder::flow(const FlowBuilder& flow) {
    diagnostics_.append(flow.diagnostics_);
    job_.elements.emplace_back(flow.flow_);
    return *this;
}

JobBuilder& JobBuilder::split(const SplitBuilder& split) {
    diagnostics_.append(split.diagnostics_);
    job_.elements.emplace_back(split.split_);
    return *this;
}

JobDefinition JobBuilder::build() const {
    for (const auto& finding : diagnostics_.all())
        if (finding.severity == Diagnostic::Severity::error)
            throw Error(ErrorKind::invalid, fmt::format("job \"{}\": {}", job_.id, finding.message));
    if (job_.id.empty()) throw Error(ErrorKind::invalid, "a job has no id", "begin it with job(\"NAME\")");
    if (job_.elements.empty()) throw Error(ErrorKind::invalid, fmt::format("job \"{}\" has no steps", job_.id));
    return job_;
}

}  // namespace fermata
