#include <fermata/base/text.hpp>
#include <fermata/model/graph.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

using Kind = TransitionDefinition::Kind;

/// One arrow: where it leads (a step, or how the job ends) and when.
struct Arrow {
    std::string when;  ///< empty: always
    std::string to;
    bool to_step = false;
    bool is_restart = false;
};

std::string ending(const TransitionDefinition& transition) {
    constexpr const char* words[] = {"", "COMPLETED", "FAILED", "STOPPED"};
    std::string text = words[static_cast<int>(transition.kind)];
    if (transition.exit_status) text += fmt::format(" ({})", transition.exit_status->source());
    return text;
}

bool has_catch_all(const StepDefinition& step) {
    for (const auto& transition : step.transitions) {
        const auto& on = transition.on.source();
        if (!on.empty() && on.find_first_not_of('*') == std::string::npos) return true;
    }
    return false;
}

std::vector<Arrow> arrows_of(const StepDefinition& step) {
    std::vector<Arrow> arrows;
    for (const auto& transition : step.transitions) {
        const auto& on = transition.on.source();
        if (transition.kind == Kind::next) {
            arrows.push_back({.when = on, .to = transition.to.source(), .to_step = true});
        } else {
            arrows.push_back({.when = on, .to = ending(transition)});
        }
        if (transition.restart) {
            arrows.push_back({.when = on, .to = transition.restart->source(), .to_step = true, .is_restart = true});
        }
    }
    if (has_catch_all(step)) return arrows;
    const std::string otherwise = step.transitions.empty() ? "" : "otherwise";
    arrows.push_back(step.next ? Arrow{.when = otherwise, .to = step.next->source(), .to_step = true}
                               : Arrow{.when = otherwise, .to = "COMPLETED"});
    return arrows;
}

std::string text_line(const Arrow& arrow) {
    std::string when = arrow.when.empty() ? "" : fmt::format("{} ", printable(arrow.when));
    return fmt::format("    {}-> {}{}\n", when, arrow.is_restart ? "restart at " : "", printable(arrow.to));
}

std::string dot_string(std::string_view prefix, std::string_view text) {
    std::string out = fmt::format("\"{}", prefix);
    for (const char c : printable(text)) {
        if (c == '"' || c == '\\') out += '\\';
        out += c;
    }
    return out + '"';
}

std::string dot_arrow(const StepDefinition& from, const Arrow& arrow) {
    return fmt::format("    {} -> {}{}{};\n", dot_string("step ", from.id),
                       dot_string(arrow.to_step ? "step " : "end ", arrow.to),
                       arrow.when.empty() ? "" : fmt::format(" [label={}]", dot_string("", arrow.when)),
                       arrow.is_restart ? " [style=dashed]" : "");
}

std::string dot_ending(const Arrow& arrow) {
    return fmt::format("    {} [label={}, shape=ellipse];\n", dot_string("end ", arrow.to), dot_string("", arrow.to));
}

}  // namespace

std::string graph_text(const JobDefinition& job) {
    std::string out = printable(job.id) + '\n';
    for (const auto& step : job.steps) {
        out += fmt::format("  {}\n", printable(step.id));
        for (const auto& arrow : arrows_of(step)) out += text_line(arrow);
    }
    return out;
}

std::string graph_dot(const JobDefinition& job) {
    std::string nodes;
    std::string edges;
    for (const auto& step : job.steps) {
        nodes += fmt::format("    {} [label={}];\n", dot_string("step ", step.id), dot_string("", step.id));
        for (const auto& arrow : arrows_of(step)) {
            edges += dot_arrow(step, arrow);
            const auto ending = dot_ending(arrow);
            if (!arrow.to_step && nodes.find(ending) == std::string::npos) nodes += ending;
        }
    }
    return fmt::format("digraph {} {{\n    rankdir=LR;\n    node [shape=box];\n{}{}}}\n", dot_string("", job.id), nodes,
                       edges);
}

}  // namespace fermata
