#pragma once
// What the job XML (or the builder) says, unresolved: plain immutable values with their positions. Element names,
// attributes and defaults are those of Jakarta Batch 2.1 §8 and its schema (§13.2). Flow, split, decision and partition
// are not here yet; the parser says so where it meets one.
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/expression.hpp>

#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fermata {

struct PropertyDefinition {
    std::string name;
    Template value;
    Position at;
};

/// A reference to a registered artifact: reader, processor, writer, batchlet, listener, checkpoint-algorithm.
struct ArtifactDefinition {
    Template ref;
    std::vector<PropertyDefinition> properties;
    Position at;
};

/// next, end, fail and stop elements, in document order (§8.6).
struct TransitionDefinition {
    enum class Kind : std::uint8_t { next, end, fail, stop };
    Kind kind = Kind::next;
    Template on;
    Template to;                          ///< next only
    std::optional<Template> exit_status;  ///< end, fail, stop
    std::optional<Template> restart;      ///< stop only
    Position at;
};

struct ExceptionFilterDefinition {
    struct Class {
        Template name;
        Position at;
    };
    std::vector<Class> include;
    std::vector<Class> exclude;
};

struct BatchletDefinition {
    ArtifactDefinition batchlet;
};

struct ChunkDefinition {
    Template checkpoint_policy = Template::literal("item");
    Template item_count = Template::literal("10");
    Template time_limit = Template::literal("0");
    std::optional<Template> skip_limit;  ///< absent = unlimited, "0" = none
    std::optional<Template> retry_limit;
    ArtifactDefinition reader;
    std::optional<ArtifactDefinition> processor;
    ArtifactDefinition writer;
    std::optional<ArtifactDefinition> checkpoint_algorithm;
    ExceptionFilterDefinition skippable;
    ExceptionFilterDefinition retryable;
    ExceptionFilterDefinition no_rollback;
    Position at;
};

struct StepDefinition {
    std::string id;
    Template start_limit = Template::literal("0");
    Template allow_start_if_complete = Template::literal("false");
    std::optional<Template> next;
    std::vector<PropertyDefinition> properties;
    std::vector<ArtifactDefinition> listeners;
    std::variant<BatchletDefinition, ChunkDefinition> work;
    std::vector<TransitionDefinition> transitions;
    Position at;
};

struct JobDefinition {
    std::string id;
    Template restartable = Template::literal("true");
    std::vector<PropertyDefinition> properties;
    std::vector<ArtifactDefinition> listeners;
    std::vector<StepDefinition> steps;
    std::string file;    ///< for messages; empty if built by a program
    std::string source;  ///< the job XML text as read; empty if built by a program
    Position at;

    [[nodiscard]] const StepDefinition* find(std::string_view step_id) const;
};

/// Canonical JSON: the same definition always gives the same bytes; positions, `file` and `source` are kept so that
/// messages of a later restart still point into the text. `hash` leaves those out (the meaning only): 64 hex digits.
[[nodiscard]] std::string to_json(const JobDefinition& job);
[[nodiscard]] JobDefinition job_definition_from_json(std::string_view json);  ///< throws Error(refused) if unreadable
[[nodiscard]] std::string hash_of(const JobDefinition& job);

}  // namespace fermata
