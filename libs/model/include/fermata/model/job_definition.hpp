#pragma once
// What the job XML (or the builder) says, unresolved: plain immutable values with their positions. Element names,
// attributes and defaults are those of Jakarta Batch 2.1 §8 and its schema (§13.2). A job is a tree: flows hold
// elements, splits hold flows. Ids are unique in the whole job; transitions stay among the elements of one job or flow.
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/expression.hpp>

#include <concepts>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace fermata {

struct PropertyDefinition {
    std::string name;
    Template value;
    Position at;
    bool operator==(const PropertyDefinition&) const = default;
};

/// A reference to a registered artifact: reader, processor, writer, batchlet, listener, checkpoint-algorithm, decider
/// (decision), mapper, collector, analyzer, reducer.
struct ArtifactDefinition {
    Template ref;
    std::vector<PropertyDefinition> properties;
    Position at;
    bool operator==(const ArtifactDefinition&) const = default;
};

/// `<fer:pause>`: where and for what the execution waits (docs/waiting.md).
struct PauseDefinition {
    Template point;
    std::optional<Template> message;
    Template signals = Template::literal("1");
    std::optional<Template> timeout;
    Template on_timeout = Template::literal("fail");
    std::optional<Template> notify;
    bool operator==(const PauseDefinition&) const = default;
};

/// next, end, fail and stop elements, and ours, in document order (§8.6).
struct TransitionDefinition {
    enum class Kind : std::uint8_t { next, end, fail, stop, pause };
    Kind kind = Kind::next;
    Template on;
    Template to;                           ///< next; pause: empty = what would have come without it
    std::optional<Template> exit_status;   ///< end, fail, stop
    std::optional<Template> restart;       ///< stop only
    std::optional<PauseDefinition> pause;  ///< pause only
    Position at;
    bool operator==(const TransitionDefinition&) const = default;
};

struct ExceptionFilterDefinition {
    struct Class {
        Template name;
        Position at;
        bool operator==(const Class&) const = default;
    };
    std::vector<Class> include;
    std::vector<Class> exclude;
    bool operator==(const ExceptionFilterDefinition&) const = default;
};

struct BatchletDefinition {
    ArtifactDefinition batchlet;
    bool operator==(const BatchletDefinition&) const = default;
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
    bool operator==(const ChunkDefinition&) const = default;
};

/// `<plan>`: how many partitions, how many threads for them, and properties for some of them (§8.2.6.2).
struct PartitionPlanDefinition {
    /// One `<properties partition="n">`; several may name the same partition.
    struct Properties {
        Template partition;  ///< from 0
        std::vector<PropertyDefinition> properties;
        Position at;
        bool operator==(const Properties&) const = default;
    };
    Template partitions = Template::literal("1");
    std::optional<Template> threads;  ///< absent = as many as partitions
    std::vector<Properties> properties;
    Position at;
    bool operator==(const PartitionPlanDefinition&) const = default;
};

/// `<partition>`: a plan that is written down, or a mapper that makes one; with neither, one partition.
struct PartitionDefinition {
    std::optional<PartitionPlanDefinition> plan;
    std::optional<ArtifactDefinition> mapper;
    std::optional<ArtifactDefinition> collector;
    std::optional<ArtifactDefinition> analyzer;
    std::optional<ArtifactDefinition> reducer;
    std::optional<Template> workers;  ///< fer:workers: "any" worker may claim partitions; absent: "none"
    std::optional<Template> turn;     ///< fer:turn: for how long one has its slot while others wait; absent: to its end
    Position at;
    bool operator==(const PartitionDefinition&) const = default;
};

struct StepDefinition {
    std::string id;
    Template start_limit = Template::literal("0");
    Template allow_start_if_complete = Template::literal("false");
    std::optional<Template> next;
    std::vector<PropertyDefinition> properties;
    std::vector<ArtifactDefinition> listeners;
    std::variant<BatchletDefinition, ChunkDefinition> work;
    std::optional<PartitionDefinition> partition;
    std::vector<TransitionDefinition> transitions;
    Position at;
    bool operator==(const StepDefinition&) const = default;
};

/// `<decision>`: asks its decider; only transition elements lead on.
struct DecisionDefinition {
    std::string id;
    ArtifactDefinition decider;
    std::vector<TransitionDefinition> transitions;
    Position at;
    bool operator==(const DecisionDefinition&) const = default;
};

struct ElementDefinition;

/// `<flow>`: begins at its first element; ends with an element that leads nowhere.
struct FlowDefinition {
    std::string id;
    std::optional<Template> next;
    std::vector<ElementDefinition> elements;
    std::vector<TransitionDefinition> transitions;
    Position at;
    bool operator==(const FlowDefinition&) const = default;
};

/// `<split>`: all its flows at once; ends when all have ended.
struct SplitDefinition {
    std::string id;
    std::optional<Template> next;
    std::vector<FlowDefinition> flows;
    Position at;
    bool operator==(const SplitDefinition&) const = default;
};

/// What may stand in a job or a flow, in document order.
struct ElementDefinition {
    std::variant<StepDefinition, FlowDefinition, SplitDefinition, DecisionDefinition> what;

    ElementDefinition() = default;
    template <class Element>
        requires(!std::same_as<Element, ElementDefinition>)
    ElementDefinition(Element element) : what(std::move(element)) {}
    [[nodiscard]] const std::string& id() const;
    bool operator==(const ElementDefinition&) const = default;
};

struct JobDefinition {
    std::string id;
    Template restartable = Template::literal("true");
    std::vector<PropertyDefinition> properties;
    std::vector<ArtifactDefinition> listeners;
    std::vector<ElementDefinition> elements;
    std::string file;    ///< for messages; empty if built by a program
    std::string source;  ///< the job XML text as read; empty if built by a program
    Position at;

    /// The step of this id, wherever it stands.
    [[nodiscard]] const StepDefinition* find(std::string_view step_id) const;
    bool operator==(const JobDefinition&) const = default;
};

/// "step", "flow", "split", "decision".
[[nodiscard]] std::string_view word_of(const ElementDefinition& element);
/// All steps of a job or flow, those of inner flows included, in document order.
[[nodiscard]] std::vector<const StepDefinition*> steps_of(const std::vector<ElementDefinition>& elements);

/// Canonical JSON: the same definition always gives the same bytes; positions, `file` and `source` are kept so that
/// messages of a later restart still point into the text. `hash` leaves those out (the meaning only): 64 hex digits.
[[nodiscard]] std::string to_json(const JobDefinition& job);
[[nodiscard]] JobDefinition job_definition_from_json(std::string_view json);  ///< throws Error(refused) if unreadable
[[nodiscard]] std::string hash_of(const JobDefinition& job);

}  // namespace fermata
