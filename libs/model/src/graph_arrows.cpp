#include "graph_arrows.hpp"

#include <fmt/format.h>

namespace fermata {
namespace {

using Kind = TransitionDefinition::Kind;

Arrow ending(const TransitionDefinition& transition, std::string when) {
    constexpr const char* words[] = {"", "COMPLETED", "FAILED", "STOPPED"};
    Arrow arrow{.when = std::move(when), .ends = words[static_cast<int>(transition.kind)]};
    if (transition.exit_status) arrow.exit_status = transition.exit_status->source();
    arrow.to = arrow.ends + (transition.exit_status ? fmt::format(" ({})", arrow.exit_status) : "");
    return arrow;
}

bool has_catch_all(const std::vector<TransitionDefinition>& transitions) {
    for (const auto& transition : transitions) {
        const auto& on = transition.on.source();
        if (!on.empty() && on.find_first_not_of('*') == std::string::npos) return true;
    }
    return false;
}

const std::vector<TransitionDefinition> no_transitions;
const std::optional<Template> no_next;

// What a pause adds to the words on its arrow.
std::string when_of(const TransitionDefinition& transition) {
    const auto& on = transition.on.source();
    return transition.pause ? fmt::format("{} pause at {}", on, transition.pause->point.source()) : on;
}

bool leads_on(const TransitionDefinition& transition) {
    return transition.kind == Kind::next || (transition.kind == Kind::pause && !transition.to.empty());
}

// Without a target it goes on as if its pause were not there; what then matches cannot be told from here, but where
// nothing does can.
Arrow otherwise_of(const GraphWays& ways, const std::string& flow, std::string when) {
    Arrow arrow{.when = std::move(when), .to = "COMPLETED", .ends = "COMPLETED"};
    if (*ways.next) {
        arrow.to = (*ways.next)->source();
        arrow.to_element = true;
        arrow.ends.clear();
    } else if (!flow.empty()) {
        arrow.to = flow;
        arrow.to_flow_end = true;
        arrow.ends.clear();
    }
    return arrow;
}

}  // namespace

GraphWays ways_of(const StepDefinition& step) { return {&step.transitions, &step.next}; }
GraphWays ways_of(const FlowDefinition& flow) { return {&flow.transitions, &flow.next}; }
GraphWays ways_of(const SplitDefinition& split) { return {&no_transitions, &split.next}; }
GraphWays ways_of(const DecisionDefinition& decision) { return {&decision.transitions, &no_next}; }

std::vector<Arrow> arrows_of(const GraphWays& ways, const std::string& flow) {
    std::vector<Arrow> arrows;
    for (const auto& transition : *ways.transitions) {
        const auto on = when_of(transition);
        if (transition.kind == Kind::pause && transition.to.empty()) {
            arrows.push_back(otherwise_of(ways, flow, on));
        } else if (leads_on(transition)) {
            arrows.push_back({.when = on, .to = transition.to.source(), .to_element = true});
        } else {
            arrows.push_back(ending(transition, on));
        }
        arrows.back().on = transition.on.source();
        if (transition.pause) arrows.back().pause = transition.pause->point.source();
        if (transition.restart) {
            arrows.push_back({.when = on,
                              .to = transition.restart->source(),
                              .to_element = true,
                              .is_restart = true,
                              .on = transition.on.source()});
        }
    }
    if (has_catch_all(*ways.transitions)) return arrows;
    arrows.push_back(otherwise_of(ways, flow, ways.transitions->empty() ? "" : "otherwise"));
    return arrows;
}

}  // namespace fermata
