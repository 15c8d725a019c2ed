#pragma once
// A JobDefinition with every expression replaced and every attribute typed: the second stage of the walk
// (parse -> resolve -> assemble -> run -> record). Ends in a value that `fermata explain` prints.
#include <fermata/model/job_definition.hpp>
#include <fermata/model/pause.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace fermata {

struct ResolvedProperty {
    std::string name;
    Text value;
    Position at;
    bool of_plan = false;  ///< depends on partitionPlan: known in a partition only, until then as it is written
};
using ResolvedProperties = std::vector<ResolvedProperty>;

struct ResolvedArtifact {
    std::string ref;
    ResolvedProperties properties;
    Position at;
    bool of_plan = false;  ///< `ref` depends on partitionPlan
};

struct ResolvedTransition {
    TransitionDefinition::Kind kind{};
    std::string on;
    std::string to;
    std::optional<std::string> exit_status;
    std::optional<std::string> restart;
    std::optional<PauseRequest> pause;  ///< pause only
    Position at;
};

struct ResolvedExceptionFilter {
    struct Class {
        std::string name;
        Position at;
    };
    std::vector<Class> include;
    std::vector<Class> exclude;
};

enum class CheckpointPolicy : std::uint8_t { item, custom };

struct ResolvedBatchlet {
    ResolvedArtifact batchlet;
};

struct ResolvedChunk {
    CheckpointPolicy policy = CheckpointPolicy::item;
    std::int64_t item_count = 10;            ///< >= 1
    std::chrono::seconds time_limit{0};      ///< 0 = none
    std::optional<std::int64_t> skip_limit;  ///< nothing = unlimited
    std::optional<std::int64_t> retry_limit;
    ResolvedArtifact reader;
    std::optional<ResolvedArtifact> processor;
    ResolvedArtifact writer;
    std::optional<ResolvedArtifact> checkpoint_algorithm;
    ResolvedExceptionFilter skippable;
    ResolvedExceptionFilter retryable;
    ResolvedExceptionFilter no_rollback;
    Position at;
};

struct ResolvedPartitionPlan {
    std::int64_t partitions = 1;          ///< >= 0
    std::optional<std::int64_t> threads;  ///< >= 1; nothing = as many as partitions
    std::vector<Parameters> properties;   ///< by partition; may be shorter than `partitions`
};

/// What is needed to resolve a step once more, for one of its partitions.
struct PartitionSource;

struct ResolvedPartition {
    ResolvedPartitionPlan plan;  ///< not used if there is a mapper
    std::optional<ResolvedArtifact> mapper;
    std::optional<ResolvedArtifact> collector;
    std::optional<ResolvedArtifact> analyzer;
    std::optional<ResolvedArtifact> reducer;
    bool for_workers = false;      ///< any worker that serves the job may claim partitions
    std::optional<Duration> turn;  ///< > 0; so long one of them has its slot while others wait; nothing: to its end
    bool uses_plan = false;        ///< some expression of the step asks for partitionPlan
    std::shared_ptr<const PartitionSource> source;
    Position at;
};

struct ResolvedStep {
    std::string id;
    std::int64_t start_limit = 0;  ///< 0 = no limit
    bool allow_start_if_complete = false;
    std::optional<std::string> next;
    ResolvedProperties properties;
    std::vector<ResolvedArtifact> listeners;
    std::variant<ResolvedBatchlet, ResolvedChunk> work;
    std::optional<ResolvedPartition> partition;
    std::vector<ResolvedTransition> transitions;
    Position at;
};

struct ResolvedDecision {
    std::string id;
    ResolvedArtifact decider;
    std::vector<ResolvedTransition> transitions;
    Position at;
};

struct ResolvedElement;

struct ResolvedFlow {
    std::string id;
    std::optional<std::string> next;
    std::vector<ResolvedElement> elements;
    std::vector<ResolvedTransition> transitions;
    Position at;
};

struct ResolvedSplit {
    std::string id;
    std::optional<std::string> next;
    std::vector<ResolvedFlow> flows;
    Position at;
};

struct ResolvedElement {
    std::variant<ResolvedStep, ResolvedFlow, ResolvedSplit, ResolvedDecision> what;

    ResolvedElement() = default;
    template <class Element>
        requires(!std::same_as<Element, ResolvedElement>)
    ResolvedElement(Element element) : what(std::move(element)) {}
    [[nodiscard]] const std::string& id() const;
};

struct ResolvedJob {
    std::string id;
    bool restartable = true;
    ResolvedProperties properties;
    std::vector<ResolvedArtifact> listeners;
    std::vector<ResolvedElement> elements;
    std::string file;

    /// The step of this id, wherever it stands.
    [[nodiscard]] const ResolvedStep* find(std::string_view step_id) const;
};

struct Resolution {
    std::optional<ResolvedJob> job;  ///< present unless `diagnostics` has errors
    Diagnostics diagnostics;
};

/// §8.8: jobParameters from `parameters` only; jobProperties from the innermost scope outward, earlier ones only;
/// systemProperties from `system`. Also checks what can be checked without a registry: attribute types and ranges
/// (item-count >= 1, numbers that fit), transition targets that exist and stand in the same job or flow, no element
/// entered twice by any path that is certain to loop, unreachable elements (warning), a decision that comes first,
/// flows and splits with nothing in them, custom policy with an algorithm, duplicate property names (warning).
/// A parameter that is used without default but not given is an error naming each use, once a parameter.
/// partitionPlan has values inside a partitioned step only, and there not before its plan is known: resolve_partition.
[[nodiscard]] Resolution resolve(const JobDefinition& job, const Parameters& parameters, const Parameters& system);

/// The same checks without parameters: attributes with expressions are not judged, missing parameters not reported.
[[nodiscard]] Diagnostics check(const JobDefinition& job);

/// The partitioned `step` with the properties of one partition's plan put in (§8.8.1.4). A name the plan does not give
/// resolves to "".
struct PartitionResolution {
    std::optional<ResolvedStep> step;  ///< present unless `diagnostics` has errors
    Diagnostics diagnostics;
};
[[nodiscard]] PartitionResolution resolve_partition(const ResolvedStep& step, const Parameters& plan);

/// All steps of a job or flow, those of inner flows included, in document order.
[[nodiscard]] std::vector<const ResolvedStep*> steps_of(const std::vector<ResolvedElement>& elements);

/// Every parameter the job uses, in document order: name, first default's source text (nothing if any use has none: the
/// parameter must be given), first position. For `explain` and `run --help`-like messages.
struct ParameterUse {
    std::string name;
    std::optional<std::string> fallback;
    Position at;
};
[[nodiscard]] std::vector<ParameterUse> parameters_of(const JobDefinition& job);

/// For `explain` and golden tests: indented text, one line a fact, stable. `shown`: texts of the job pass through it.
[[nodiscard]] std::string describe(const ResolvedJob& job,
                                   const std::function<std::string(std::string_view)>& shown = {});

}  // namespace fermata
