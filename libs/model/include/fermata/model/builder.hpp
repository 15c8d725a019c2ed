#pragma once
// A JobDefinition written in C++ instead of job XML; both meet there, so each word means the same in both. Values may
// hold expressions, #{jobParameters['date']}.
//
//     const JobDefinition job =
//         fermata::job("import")
//             .step(fermata::chunk_step("load", 1000)
//                       .reader("orderReader", {{"file", "#{jobParameters['file']}"}})
//                       .writer("orderWriter")
//                       .next("report"))
//             .step(fermata::batchlet_step("report", "reportBatchlet"))
//             .build();
#include <fermata/model/job_definition.hpp>
#include <fermata/model/pause.hpp>

#include <concepts>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata {

/// Name and value, in order.
using PropertyList = std::vector<std::pair<std::string, std::string>>;

/// What stands in an attribute: a number, true or false, or an expression that comes to one.
class Setting {
public:
    template <std::integral Value>
    Setting(Value value) : text_(std::to_string(value)) {
        if constexpr (std::same_as<Value, bool>) text_ = value ? "true" : "false";
    }
    Setting(std::string text) : text_(std::move(text)) {}
    Setting(const char* text) : text_(text) {}
    operator std::string_view() const noexcept { return text_; }

private:
    std::string text_;
};

/// What the builders share: expressions are parsed where they are written, and told of in build().
class BuilderBase {
protected:
    friend class JobBuilder;
    friend class FlowBuilder;
    friend class SplitBuilder;
    Template value(std::string_view text);
    ArtifactDefinition artifact(std::string_view ref, const PropertyList& properties);
    TransitionDefinition leads(std::string_view on, std::string_view to);
    TransitionDefinition ends(TransitionDefinition::Kind kind, std::string_view on, std::string_view exit_status,
                              std::string_view restart = {});
    TransitionDefinition pauses(std::string_view on, const PauseRequest& what, std::string_view to);
    Diagnostics diagnostics_;
};

/// The ways out of a step, decision or flow, looked at in the order they are written.
template <class Builder>
class WaysOut : protected BuilderBase {
public:
    /// Where to go when its exit status matches `on`.
    Builder& on(std::string_view on, std::string_view next);
    /// How the job ends when its exit status matches `on`; an empty exit status leaves it as it is.
    Builder& end_on(std::string_view on, std::string_view exit_status = {});
    Builder& fail_on(std::string_view on, std::string_view exit_status = {});
    Builder& stop_on(std::string_view on, std::string_view exit_status = {}, std::string_view restart = {});
    /// Where it waits when its exit status matches `on`, then goes on at `to`; empty: at what would have come without.
    Builder& pause_on(std::string_view on, const PauseRequest& what, std::string_view to = {});

private:
    Builder& add(TransitionDefinition way);
};

class StepBuilder : public WaysOut<StepBuilder> {
public:
    // Of chunk steps only; they throw Error(invalid) on a batchlet step.
    StepBuilder& reader(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& processor(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& writer(std::string_view ref, const PropertyList& properties = {});
    /// In place of the item policy; `item_count` and `time_limit` do not count then.
    StepBuilder& checkpoint_algorithm(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& time_limit(const Setting& seconds);
    /// Which exceptions, by registered names, but those of `except`; without a limit, or a call, there is none.
    using Names = std::vector<std::string>;
    StepBuilder& skip(const Names& exceptions, const std::optional<Setting>& limit = {}, const Names& except = {});
    StepBuilder& retry(const Names& exceptions, const std::optional<Setting>& limit = {}, const Names& except = {});
    /// Of those that are retried: the ones for which nothing is rolled back.
    StepBuilder& no_rollback(const Names& exceptions, const Names& except = {});
    // Of every step.
    StepBuilder& listener(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& property(std::string_view name, std::string_view text);
    /// Where to go when it is COMPLETED; without, the job ends.
    StepBuilder& next(std::string_view step);
    StepBuilder& start_limit(const Setting& limit);
    StepBuilder& allow_start_if_complete(const Setting& allow);
    // A partitioned step. Values of its properties, listeners, work and collector may say #{partitionPlan['name']}.
    /// `properties`: of partition 0, 1, …; without `threads` as many as partitions.
    StepBuilder& partitions(const Setting& count, const std::vector<PropertyList>& properties = {},
                            const std::optional<Setting>& threads = {});
    StepBuilder& mapper(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& collector(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& analyzer(std::string_view ref, const PropertyList& properties = {});
    StepBuilder& reducer(std::string_view ref, const PropertyList& properties = {});
    /// Any worker that serves the job may claim partitions: fer:workers="any".
    StepBuilder& for_workers(const Setting& which = "any");
    /// For how long a partition that a worker has claimed keeps its slot while others wait: fer:turn="2s".
    StepBuilder& turn(const Setting& length);

private:
    friend class WaysOut<StepBuilder>;
    friend class JobBuilder;
    friend class FlowBuilder;
    friend StepBuilder chunk_step(std::string_view, const Setting&);
    friend StepBuilder batchlet_step(std::string_view, std::string_view, const PropertyList&);
    std::vector<TransitionDefinition>& transitions() { return step_.transitions; }
    ChunkDefinition& chunk(std::string_view word);
    PartitionDefinition& partition();
    void classes(ExceptionFilterDefinition& filter, const Names& exceptions, const Names& except);
    /// The step, with what is missing in it told to `diagnostics`.
    StepDefinition finish(Diagnostics& diagnostics) const;
    StepDefinition step_;
};

[[nodiscard]] StepBuilder chunk_step(std::string_view id, const Setting& item_count = 10);
[[nodiscard]] StepBuilder batchlet_step(std::string_view id, std::string_view ref, const PropertyList& properties = {});

/// Asks a registered decider; only `on` and the ways to end lead out of it.
class DecisionBuilder : public WaysOut<DecisionBuilder> {
    friend class WaysOut<DecisionBuilder>;
    friend class JobBuilder;
    friend class FlowBuilder;
    friend DecisionBuilder decision(std::string_view, std::string_view, const PropertyList&);
    std::vector<TransitionDefinition>& transitions() { return decision_.transitions; }
    DecisionDefinition decision_;
};
[[nodiscard]] DecisionBuilder decision(std::string_view id, std::string_view decider,
                                       const PropertyList& properties = {});

class SplitBuilder;

/// Elements in document order; the first one begins. The names of its targets are those of its own elements.
class FlowBuilder : public WaysOut<FlowBuilder> {
public:
    FlowBuilder& step(const StepBuilder& step);
    FlowBuilder& decision(const DecisionBuilder& decision);
    FlowBuilder& flow(const FlowBuilder& flow);
    FlowBuilder& split(const SplitBuilder& split);
    FlowBuilder& next(std::string_view element);

private:
    friend class WaysOut<FlowBuilder>;
    friend class JobBuilder;
    friend class SplitBuilder;
    friend FlowBuilder flow(std::string_view);
    std::vector<TransitionDefinition>& transitions() { return flow_.transitions; }
    FlowDefinition flow_;
};
[[nodiscard]] FlowBuilder flow(std::string_view id);

/// Flows that run at the same time.
class SplitBuilder : private BuilderBase {
public:
    SplitBuilder& flow(const FlowBuilder& flow);
    SplitBuilder& next(std::string_view element);

private:
    friend class JobBuilder;
    friend class FlowBuilder;
    friend SplitBuilder split(std::string_view);
    SplitDefinition split_;
};
[[nodiscard]] SplitBuilder split(std::string_view id);

class JobBuilder : private BuilderBase {
public:
    explicit JobBuilder(std::string_view id) { job_.id = id; }
    JobBuilder& property(std::string_view name, std::string_view text);
    JobBuilder& restartable(const Setting& restartable);
    /// In the order they are entered first; the first one begins.
    JobBuilder& step(const StepBuilder& step);
    JobBuilder& decision(const DecisionBuilder& decision);
    JobBuilder& flow(const FlowBuilder& flow);
    JobBuilder& split(const SplitBuilder& split);
    JobBuilder& listener(std::string_view ref, const PropertyList& properties = {});
    /// Throws Error(invalid) for a malformed expression, a chunk step without reader or writer, a job without steps.
    /// What only a start can tell (names, targets, types) is told by `validate` and JobOperator::start.
    [[nodiscard]] JobDefinition build() const;

private:
    JobDefinition job_;
};

[[nodiscard]] inline JobBuilder job(std::string_view id) { return JobBuilder(id); }

}  // namespace fermata
