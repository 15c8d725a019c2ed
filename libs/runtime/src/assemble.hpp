#pragma once
// ResolvedJob + Registry -> RunnableJob: every reference looked up, every property known, item types that fit. The
// third stage of the walk; instances of artifacts are made later, once a step execution.
#include "exception_filter.hpp"

#include <fermata/batch/registry.hpp>
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/resolved_job.hpp>

#include <optional>
#include <vector>

namespace fermata {

struct RunnableChunk {
    const ResolvedChunk* definition = nullptr;
    const ArtifactEntry* reader = nullptr;
    const ArtifactEntry* processor = nullptr;  ///< null: items pass through
    const ArtifactEntry* writer = nullptr;
    const ArtifactEntry* algorithm = nullptr;  ///< null: item policy
    ExceptionFilter skippable;
    ExceptionFilter retryable;
    ExceptionFilter no_rollback;
};
struct RunnableBatchlet {
    const ResolvedArtifact* definition = nullptr;
    const ArtifactEntry* batchlet = nullptr;
};
/// Null where the job names none.
struct RunnablePartition {
    const ArtifactEntry* mapper = nullptr;
    const ArtifactEntry* collector = nullptr;
    const ArtifactEntry* analyzer = nullptr;
    const ArtifactEntry* reducer = nullptr;
};
struct RunnableStep {
    const ResolvedStep* definition = nullptr;
    std::vector<const ArtifactEntry*> listeners;  ///< one a definition->listeners
    std::variant<RunnableBatchlet, RunnableChunk> work;
    RunnablePartition partition;  ///< of a step with definition->partition
};
struct RunnableDecision {
    const ResolvedDecision* definition = nullptr;
    const ArtifactEntry* decider = nullptr;
};
struct RunnableElement;
struct RunnableFlow {
    const ResolvedFlow* definition = nullptr;
    std::vector<RunnableElement> elements;
};
struct RunnableSplit {
    const ResolvedSplit* definition = nullptr;
    std::vector<RunnableFlow> flows;
};
struct RunnableElement {
    std::variant<RunnableStep, RunnableFlow, RunnableSplit, RunnableDecision> what;

    [[nodiscard]] const std::string& id() const;
};
[[nodiscard]] const RunnableElement* find(const std::vector<RunnableElement>& elements, std::string_view id);

/// Points into `job`, which it owns; moved, never copied.
struct RunnableJob {
    std::unique_ptr<const ResolvedJob> job;
    std::vector<const ArtifactEntry*> listeners;
    std::vector<RunnableElement> elements;
};

struct Assembly {
    std::optional<RunnableJob> job;  ///< present unless the diagnostics have errors
    Diagnostics diagnostics;
};
/// `given`: the job's parameters, for artifacts that ask for some by themselves.
[[nodiscard]] Assembly assemble(ResolvedJob resolved, const Registry& registry, const Parameters& given);

}  // namespace fermata
