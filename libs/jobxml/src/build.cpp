#include "build.hpp"

namespace fermata::jobxml {
namespace {

class Builder {
public:
    Builder(const std::string& file, const Lines& lines, Diagnostics& diagnostics)
        : file_(file), lines_(lines), diagnostics_(diagnostics) {}

    JobDefinition job(const Element& element) {
        JobDefinition job{.id = literal(element, "id"), .file = file_, .at = at(element)};
        set(job.restartable, element, "restartable");
        for (const auto& child : element.children) {
            if (child.name.local == "properties") job.properties = properties(child);
            if (child.name.local == "listeners") job.listeners = listeners(child);
            add_element(job.elements, child);
        }
        return job;
    }

private:
    void add_element(std::vector<ElementDefinition>& elements, const Element& child) {
        const auto& name = child.name.local;
        if (name == "step") elements.emplace_back(step(child));
        if (name == "flow") elements.emplace_back(flow(child));
        if (name == "split") elements.emplace_back(split(child));
        if (name == "decision") elements.emplace_back(decision(child));
    }

    FlowDefinition flow(const Element& element) {
        FlowDefinition flow{.id = literal(element, "id"), .at = at(element)};
        set(flow.next, element, "next");
        for (const auto& child : element.children) {
            add_element(flow.elements, child);
            add_transition(flow.transitions, child);
        }
        return flow;
    }

    SplitDefinition split(const Element& element) {
        SplitDefinition split{.id = literal(element, "id"), .at = at(element)};
        set(split.next, element, "next");
        for (const auto& child : element.children) {
            if (child.name.local == "flow") split.flows.push_back(flow(child));
        }
        return split;
    }

    DecisionDefinition decision(const Element& element) {
        DecisionDefinition decision{.id = literal(element, "id"), .decider = artifact(element), .at = at(element)};
        for (const auto& child : element.children) add_transition(decision.transitions, child);
        return decision;
    }

    StepDefinition step(const Element& element) {
        StepDefinition step{.id = literal(element, "id"), .at = at(element)};
        set(step.start_limit, element, "start-limit");
        set(step.allow_start_if_complete, element, "allow-start-if-complete");
        set(step.next, element, "next");
        for (const auto& child : element.children) add_to(step, child);
        return step;
    }

    void add_to(StepDefinition& step, const Element& child) {
        const auto& name = child.name.local;
        if (name == "properties") step.properties = properties(child);
        if (name == "listeners") step.listeners = listeners(child);
        if (name == "batchlet") step.work = BatchletDefinition{artifact(child)};
        if (name == "chunk") step.work = chunk(child);
        if (name == "partition") step.partition = partition(child);
        add_transition(step.transitions, child);
    }

    void add_transition(std::vector<TransitionDefinition>& transitions, const Element& child) {
        using Kind = TransitionDefinition::Kind;
        const auto& name = child.name.local;
        if (name == "next") transitions.push_back(transition(Kind::next, child));
        if (name == "end") transitions.push_back(transition(Kind::end, child));
        if (name == "fail") transitions.push_back(transition(Kind::fail, child));
        if (name == "stop") transitions.push_back(transition(Kind::stop, child));
        if (name == "fer:pause") {
            transitions.push_back(transition(Kind::pause, child));
            transitions.back().pause = pause(child);
        }
    }

    PauseDefinition pause(const Element& element) {
        PauseDefinition pause;
        set(pause.point, element, "point");
        set(pause.message, element, "message");
        set(pause.signals, element, "signals");
        set(pause.timeout, element, "timeout");
        set(pause.on_timeout, element, "on-timeout");
        set(pause.notify, element, "notify");
        return pause;
    }

    PartitionDefinition partition(const Element& element) {
        PartitionDefinition partition{.at = at(element)};
        set(partition.workers, element, "fer:workers");
        set(partition.turn, element, "fer:turn");
        for (const auto& child : element.children) {
            const auto& name = child.name.local;
            if (name == "plan") partition.plan = plan(child);
            if (name == "mapper") partition.mapper = artifact(child);
            if (name == "collector") partition.collector = artifact(child);
            if (name == "analyzer") partition.analyzer = artifact(child);
            if (name == "reducer") partition.reducer = artifact(child);
        }
        return partition;
    }

    PartitionPlanDefinition plan(const Element& element) {
        PartitionPlanDefinition plan{.at = at(element)};
        set(plan.partitions, element, "partitions");
        set(plan.threads, element, "threads");
        for (const auto& child : element.children) {
            auto& group = plan.properties.emplace_back(
                PartitionPlanDefinition::Properties{.properties = properties(child), .at = at(child)});
            set(group.partition, child, "partition");
        }
        return plan;
    }

    ChunkDefinition chunk(const Element& element) {
        ChunkDefinition chunk{.at = at(element)};
        set(chunk.checkpoint_policy, element, "checkpoint-policy");
        set(chunk.item_count, element, "item-count");
        set(chunk.time_limit, element, "time-limit");
        set(chunk.skip_limit, element, "skip-limit");
        set(chunk.retry_limit, element, "retry-limit");
        for (const auto& child : element.children) add_to(chunk, child);
        return chunk;
    }

    void add_to(ChunkDefinition& chunk, const Element& child) {
        const auto& name = child.name.local;
        if (name == "reader") chunk.reader = artifact(child);
        if (name == "processor") chunk.processor = artifact(child);
        if (name == "writer") chunk.writer = artifact(child);
        if (name == "checkpoint-algorithm") chunk.checkpoint_algorithm = artifact(child);
        if (name == "skippable-exception-classes") chunk.skippable = filter(child);
        if (name == "retryable-exception-classes") chunk.retryable = filter(child);
        if (name == "no-rollback-exception-classes") chunk.no_rollback = filter(child);
    }

    TransitionDefinition transition(TransitionDefinition::Kind kind, const Element& element) {
        TransitionDefinition transition{.kind = kind, .at = at(element)};
        set(transition.on, element, "on");
        set(transition.to, element, "to");
        set(transition.exit_status, element, "exit-status");
        set(transition.restart, element, "restart");
        return transition;
    }

    ExceptionFilterDefinition filter(const Element& element) {
        ExceptionFilterDefinition filter;
        for (const auto& child : element.children) {
            auto& classes = child.name.local == "include" ? filter.include : filter.exclude;
            auto& entry = classes.emplace_back(ExceptionFilterDefinition::Class{.at = at(child)});
            set(entry.name, child, "class");
        }
        return filter;
    }

    ArtifactDefinition artifact(const Element& element) {
        ArtifactDefinition artifact{.at = at(element)};
        set(artifact.ref, element, "ref");
        for (const auto& child : element.children) {
            if (child.name.local == "properties") artifact.properties = properties(child);
        }
        return artifact;
    }

    std::vector<ArtifactDefinition> listeners(const Element& element) {
        std::vector<ArtifactDefinition> listeners;
        for (const auto& child : element.children) listeners.push_back(artifact(child));
        return listeners;
    }

    std::vector<PropertyDefinition> properties(const Element& element) {
        std::vector<PropertyDefinition> properties;
        for (const auto& child : element.children) {
            PropertyDefinition property{.name = literal(child, "name"), .at = at(child)};
            set(property.value, child, "value");
            properties.push_back(std::move(property));
        }
        return properties;
    }

    static std::string literal(const Element& element, std::string_view attribute) {
        const auto* found = element.find(attribute);
        return found ? found->value : std::string();
    }

    /// An attribute that is not written leaves the target as it is: its default, or nothing.
    template <class Target>
    void set(Target& target, const Element& element, std::string_view attribute) {
        const auto* found = element.find(attribute);
        if (!found) return;
        const auto locate = [&](std::size_t offset) { return lines_.at(found->place.in_text(offset)); };
        target = Template::parse_located(found->value, locate, file_, diagnostics_);
    }

    [[nodiscard]] Position at(const Element& element) const { return lines_.at(element.begin); }

    const std::string& file_;
    const Lines& lines_;
    Diagnostics& diagnostics_;
};

}  // namespace

JobDefinition build(const Element& job, const std::string& file, const Lines& lines, Diagnostics& diagnostics) {
    return Builder(file, lines, diagnostics).job(job);
}

}  // namespace fermata::jobxml
