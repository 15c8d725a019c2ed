#include "assemble.hpp"

#include "artifact_check.hpp"

namespace fermata {
namespace {

std::vector<const ArtifactEntry*> find_listeners(const std::vector<ResolvedArtifact>& listeners,
                                                 const Registry& registry) {
    std::vector<const ArtifactEntry*> found;
    found.reserve(listeners.size());
    for (const ResolvedArtifact& listener : listeners)
        found.push_back(registry.find(ArtifactKind::listener, listener.ref));
    return found;
}

RunnableBatchlet assemble_work(const ResolvedBatchlet& work, const Registry& registry) {
    return {&work.batchlet, registry.find(ArtifactKind::batchlet, work.batchlet.ref)};
}

RunnableChunk assemble_work(const ResolvedChunk& work, const Registry& registry) {
    RunnableChunk chunk;
    chunk.definition = &work;
    chunk.reader = registry.find(ArtifactKind::reader, work.reader.ref);
    if (work.processor) chunk.processor = registry.find(ArtifactKind::processor, work.processor->ref);
    chunk.writer = registry.find(ArtifactKind::writer, work.writer.ref);
    if (work.policy == CheckpointPolicy::custom)
        chunk.algorithm = registry.find(ArtifactKind::checkpoint_algorithm, work.checkpoint_algorithm->ref);
    chunk.skippable = ExceptionFilter(work.skippable);
    chunk.retryable = ExceptionFilter(work.retryable);
    chunk.no_rollback = ExceptionFilter(work.no_rollback);
    return chunk;
}

RunnablePartition assemble_partition(const ResolvedPartition& partition, const Registry& registry) {
    const auto found = [&](ArtifactKind kind, const std::optional<ResolvedArtifact>& artifact) {
        return artifact ? registry.find(kind, artifact->ref) : nullptr;
    };
    return {.mapper = found(ArtifactKind::mapper, partition.mapper),
            .collector = found(ArtifactKind::collector, partition.collector),
            .analyzer = found(ArtifactKind::analyzer, partition.analyzer),
            .reducer = found(ArtifactKind::reducer, partition.reducer)};
}

std::vector<RunnableElement> assemble_elements(const std::vector<ResolvedElement>& elements, const Registry& registry);

RunnableStep assemble_element(const ResolvedStep& step, const Registry& registry) {
    RunnableStep made{&step, find_listeners(step.listeners, registry), {}, {}};
    std::visit([&](const auto& work) { made.work = assemble_work(work, registry); }, step.work);
    if (step.partition) made.partition = assemble_partition(*step.partition, registry);
    return made;
}

RunnableDecision assemble_element(const ResolvedDecision& decision, const Registry& registry) {
    return {&decision, registry.find(ArtifactKind::decider, decision.decider.ref)};
}

RunnableFlow assemble_element(const ResolvedFlow& flow, const Registry& registry) {
    return {&flow, assemble_elements(flow.elements, registry)};
}

RunnableSplit assemble_element(const ResolvedSplit& split, const Registry& registry) {
    RunnableSplit made{&split, {}};
    for (const ResolvedFlow& flow : split.flows) made.flows.push_back(assemble_element(flow, registry));
    return made;
}

std::vector<RunnableElement> assemble_elements(const std::vector<ResolvedElement>& elements, const Registry& registry) {
    std::vector<RunnableElement> made;
    for (const ResolvedElement& element : elements)
        made.push_back({std::visit(
            [&](const auto& it) -> decltype(RunnableElement::what) { return assemble_element(it, registry); },
            element.what)});
    return made;
}

}  // namespace

const std::string& RunnableElement::id() const {
    return std::visit([](const auto& element) -> const std::string& { return element.definition->id; }, what);
}

const RunnableElement* find(const std::vector<RunnableElement>& elements, std::string_view id) {
    for (const RunnableElement& element : elements)
        if (element.id() == id) return &element;
    return nullptr;
}

Assembly assemble(ResolvedJob resolved, const Registry& registry, const Parameters& given) {
    Assembly assembly;
    check_artifacts(resolved, registry, &given, assembly.diagnostics);
    if (assembly.diagnostics.has_errors()) return assembly;

    RunnableJob runnable;
    runnable.job = std::make_unique<const ResolvedJob>(std::move(resolved));
    runnable.listeners = find_listeners(runnable.job->listeners, registry);
    runnable.elements = assemble_elements(runnable.job->elements, registry);
    assembly.job = std::move(runnable);
    return assembly;
}

}  // namespace fermata
