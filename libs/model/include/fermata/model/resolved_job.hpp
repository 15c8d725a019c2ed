#pragma once
// A JobDefinition with every expression replaced and every attribute typed: the second stage of the walk
// (parse -> resolve -> assemble -> run -> record). Ends in a value that `fermata explain` prints.
#include <fermata/model/job_definition.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fermata {

struct ResolvedProperty {
    std::string name;
    Text value;
    Position at;
};
using ResolvedProperties = std::vector<ResolvedProperty>;

struct ResolvedArtifact {
    std::string ref;
    ResolvedProperties properties;
    Position at;
};

struct ResolvedTransition {
    TransitionDefinition::Kind kind{};
    std::string on;
    std::string to;
    std::optional<std::string> exit_status;
    std::optional<std::string> restart;
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

struct ResolvedStep {
    std::string id;
    std::int64_t start_limit = 0;  ///< 0 = no limit
    bool allow_start_if_complete = false;
    std::optional<std::string> next;
    ResolvedProperties properties;
    std::vector<ResolvedArtifact> listeners;
    std::variant<ResolvedBatchlet, ResolvedChunk> work;
    std::vector<ResolvedTransition> transitions;
    Position at;
};

struct ResolvedJob {
    std::string id;
    bool restartable = true;
    ResolvedProperties properties;
    std::vector<ResolvedArtifact> listeners;
    std::vector<ResolvedStep> steps;
    std::string file;

    [[nodiscard]] const ResolvedStep* find(std::string_view step_id) const;
};

struct Resolution {
    std::optional<ResolvedJob> job;  ///< present unless `diagnostics` has errors
    Diagnostics diagnostics;
};

/// §8.8: jobParameters from `parameters` only; jobProperties from the innermost scope outward, earlier ones only;
/// systemProperties from `system`. Also checks what can be checked without a registry: attribute types and ranges
/// (item-count >= 1, numbers that fit), transition targets that exist, no element entered twice by any path that is
/// certain to loop, unreachable steps (warning), custom policy with an algorithm, duplicate property names (warning).
/// A parameter that is used without default but not given is an error naming each use, once a parameter.
[[nodiscard]] Resolution resolve(const JobDefinition& job, const Parameters& parameters, const Parameters& system);

/// The same checks without parameters: attributes with expressions are not judged, missing parameters not reported.
[[nodiscard]] Diagnostics check(const JobDefinition& job);

/// Every parameter the job uses, in document order: name, first default's source text (nothing if any use has none: the
/// parameter must be given), first position. For `explain` and `run --help`-like messages.
struct ParameterUse {
    std::string name;
    std::optional<std::string> fallback;
    Position at;
};
[[nodiscard]] std::vector<ParameterUse> parameters_of(const JobDefinition& job);

/// For `explain` and golden tests: indented text, one line a fact, stable.
[[nodiscard]] std::string describe(const ResolvedJob& job);

}  // namespace fermata
