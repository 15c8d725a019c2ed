#include "assemble.hpp"

#include "artifact_check.hpp"

#include <fmt/format.h>

namespace fermata {
namespace {

std::vector<const ArtifactEntry*> find_listeners(const std::vector<ResolvedArtifact>& listeners,
                                                 const Registry& registry) {
    std::vector<const ArtifactEntry*> found;
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

}  // namespace

const RunnableStep* RunnableJob::find(std::string_view id) const {
    for (const RunnableStep& step : steps)
        if (step.definition->id == id) return &step;
    return nullptr;
}

/// The walk does not know them yet.
static void refuse_containers(const ResolvedJob& job, Diagnostics& diagnostics) {
    for (const ResolvedElement& element : job.elements) {
        const auto* step = std::get_if<ResolvedStep>(&element.what);
        const Position at = std::visit([](const auto& it) { return it.at; }, element.what);
        if (step == nullptr || step->partition)
            diagnostics.error(
                job.file, at,
                fmt::format("\"{}\": flows, splits, decisions and partitions cannot be run yet", element.id()));
    }
}

Assembly assemble(ResolvedJob resolved, const Registry& registry) {
    Assembly assembly;
    check_artifacts(resolved, registry, assembly.diagnostics);
    refuse_containers(resolved, assembly.diagnostics);
    if (assembly.diagnostics.has_errors()) return assembly;

    RunnableJob runnable;
    runnable.job = std::make_unique<const ResolvedJob>(std::move(resolved));
    runnable.listeners = find_listeners(runnable.job->listeners, registry);
    for (const ResolvedStep* step : steps_of(runnable.job->elements)) {
        RunnableStep made{step, find_listeners(step->listeners, registry), {}};
        std::visit([&](const auto& work) { made.work = assemble_work(work, registry); }, step->work);
        runnable.steps.push_back(std::move(made));
    }
    assembly.job = std::move(runnable);
    return assembly;
}

}  // namespace fermata
