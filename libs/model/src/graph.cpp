#include "graph_arrows.hpp"

#include <fermata/base/text.hpp>
#include <fermata/model/graph.hpp>

#include <fmt/format.h>

#include <map>

namespace fermata {
namespace {

// ---- text

class TextGraph {
public:
    std::string out;

    void elements(int depth, const std::vector<ElementDefinition>& elements, const std::string& flow) {
        for (const auto& element : elements)
            std::visit([&](const auto& it) { this->element(depth, it, flow); }, element.what);
    }

private:
    void element(int depth, const StepDefinition& step, const std::string& flow) {
        line(depth, printable(step.id) + (step.partition ? ", partitioned" : ""));
        arrows(depth + 1, ways_of(step), flow);
    }
    void element(int depth, const DecisionDefinition& decision, const std::string& flow) {
        line(depth, fmt::format("decision {}", printable(decision.id)));
        arrows(depth + 1, ways_of(decision), flow);
    }
    void element(int depth, const FlowDefinition& inner, const std::string& flow) {
        line(depth, fmt::format("flow {}", printable(inner.id)));
        elements(depth + 1, inner.elements, inner.id);
        arrows(depth + 1, ways_of(inner), flow);
    }
    void element(int depth, const SplitDefinition& split, const std::string& flow) {
        line(depth, fmt::format("split {}", printable(split.id)));
        for (const auto& inner : split.flows) element(depth + 1, inner, split.id);
        arrows(depth + 1, ways_of(split), flow);
    }
    void arrows(int depth, const GraphWays& ways, const std::string& flow) {
        for (const auto& arrow : arrows_of(ways, flow)) {
            const std::string when = arrow.when.empty() ? "" : fmt::format("{} ", printable(arrow.when));
            const std::string_view how = arrow.is_restart ? "restart at " : arrow.to_flow_end ? "end of " : "";
            line(depth, fmt::format("{}-> {}{}", when, how, printable(arrow.to)));
        }
    }
    void line(int depth, std::string_view text) {
        out.append(2 * static_cast<std::size_t>(depth), ' ');
        out += text;
        out += '\n';
    }
};

// ---- dot: a flow is a box around its elements with a point where it ends; a split a point where its flows begin and
// one where they meet.

class DotGraph {
public:
    std::string nodes;
    std::string edges;

    void elements(const std::vector<ElementDefinition>& elements, const std::string& flow) {
        for (const auto& element : elements) name(element);
        for (const auto& element : elements) std::visit([&](const auto& it) { this->element(it, flow); }, element.what);
    }

    static std::string text(std::string_view prefix, std::string_view text) {
        std::string out = fmt::format("\"{}", prefix);
        for (const char c : printable(text)) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out + '"';
    }

private:
    /// The nodes at which an element is entered and left.
    struct Ends {
        std::string entry;
        std::string exit;
    };

    void name(const ElementDefinition& element) {
        const auto& id = element.id();
        const std::string node = text(fmt::format("{} ", word_of(element)), id);
        if (const auto* flow = std::get_if<FlowDefinition>(&element.what)) {
            name_flow(*flow);
        } else if (std::holds_alternative<SplitDefinition>(element.what)) {
            ends_[id] = {node, text("end of split ", id)};
        } else {
            ends_[id] = {node, node};
        }
    }
    void name_flow(const FlowDefinition& flow) {
        ends_[flow.id] = {text("flow ", flow.id), text("end of flow ", flow.id)};
    }

    void element(const StepDefinition& step, const std::string& flow) {
        node(ends_[step.id].entry,
             fmt::format("label={}{}", text("", step.id), step.partition ? ", peripheries=2" : ""));
        arrows(step.id, ways_of(step), flow);
    }
    void element(const DecisionDefinition& decision, const std::string& flow) {
        node(ends_[decision.id].entry, fmt::format("label={}, shape=diamond", text("", decision.id)));
        arrows(decision.id, ways_of(decision), flow);
    }
    void element(const FlowDefinition& inner, const std::string& flow) {
        nodes += fmt::format("    subgraph {} {{\n    label={};\n", text("cluster ", inner.id), text("", inner.id));
        node(ends_[inner.id].entry, "shape=point");
        elements(inner.elements, inner.id);
        node(ends_[inner.id].exit, "shape=point");
        nodes += "    }\n";
        if (!inner.elements.empty()) edge(ends_[inner.id].entry, ends_[inner.elements.front().id()].entry, "");
        arrows(inner.id, ways_of(inner), flow);
    }
    void element(const SplitDefinition& split, const std::string& flow) {
        node(ends_[split.id].entry, fmt::format("label={}, shape=box, style=rounded", text("", split.id)));
        node(ends_[split.id].exit, "shape=point");
        for (const auto& inner : split.flows) {
            name_flow(inner);
            edge(ends_[split.id].entry, ends_[inner.id].entry, "");
            element(inner, split.id);
        }
        arrows(split.id, ways_of(split), flow);
    }

    void arrows(const std::string& id, const GraphWays& ways, const std::string& flow) {
        for (const auto& arrow : arrows_of(ways, flow)) {
            std::string attributes = arrow.when.empty() ? "" : fmt::format(" [label={}]", text("", arrow.when));
            if (arrow.is_restart) attributes += " [style=dashed]";
            edge(ends_[id].exit, target(arrow), attributes);
            if (!arrow.to_element && !arrow.to_flow_end) ending(arrow);
        }
    }
    std::string target(const Arrow& arrow) {
        if (arrow.to_flow_end) return ends_[arrow.to].exit;
        if (!arrow.to_element) return text("end ", arrow.to);
        const auto found = ends_.find(arrow.to);
        return found == ends_.end() ? text("step ", arrow.to) : found->second.entry;
    }
    void ending(const Arrow& arrow) {
        const auto ellipse =
            fmt::format("    {} [label={}, shape=ellipse];\n", text("end ", arrow.to), text("", arrow.to));
        if (endings_.find(ellipse) != std::string::npos) return;
        endings_ += ellipse;
        nodes += ellipse;
    }
    void node(const std::string& name, const std::string& attributes) {
        nodes += fmt::format("    {} [{}];\n", name, attributes);
    }
    void edge(const std::string& from, const std::string& to, const std::string& attributes) {
        edges += fmt::format("    {} -> {}{};\n", from, to, attributes);
    }

    std::map<std::string, Ends> ends_;
    std::string endings_;
};

}  // namespace

std::string graph_text(const JobDefinition& job) {
    TextGraph graph;
    graph.out = printable(job.id) + '\n';
    graph.elements(1, job.elements, "");
    return std::move(graph.out);
}

std::string graph_dot(const JobDefinition& job) {
    DotGraph graph;
    graph.elements(job.elements, "");
    return fmt::format("digraph {} {{\n    rankdir=LR;\n    node [shape=box];\n{}{}}}\n", DotGraph::text("", job.id),
                       graph.nodes, graph.edges);
}

}  // namespace fermata
