#include "graph_arrows.hpp"

#include <fermata/model/graph.hpp>

#include <nlohmann/json.hpp>

namespace fermata {
namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::string& text) { return text.empty() ? Json(nullptr) : Json(text); }

std::string_view kind_of(const Arrow& arrow) {
    if (arrow.is_restart) return "restart";
    if (arrow.to_flow_end) return "flow_end";
    return arrow.to_element ? "next" : "end";
}

class JsonGraph {
public:
    Json nodes = Json::array();
    Json edges = Json::array();

    void elements(const std::vector<ElementDefinition>& elements, const std::string& parent) {
        for (const auto& element : elements)
            std::visit([&](const auto& it) { this->element(it, parent); }, element.what);
    }

private:
    void element(const StepDefinition& step, const std::string& parent) {
        node(step.id, "step", parent, step.partition.has_value());
        arrows(step.id, ways_of(step), parent);
    }
    void element(const DecisionDefinition& decision, const std::string& parent) {
        node(decision.id, "decision", parent);
        arrows(decision.id, ways_of(decision), parent);
    }
    void element(const FlowDefinition& flow, const std::string& parent) {
        node(flow.id, "flow", parent);
        elements(flow.elements, flow.id);
        arrows(flow.id, ways_of(flow), parent);
    }
    void element(const SplitDefinition& split, const std::string& parent) {
        node(split.id, "split", parent);
        for (const auto& flow : split.flows) element(flow, split.id);
        arrows(split.id, ways_of(split), parent);
    }
    void node(const std::string& id, std::string_view kind, const std::string& parent, bool partitioned = false) {
        nodes.push_back({{"id", id}, {"kind", kind}, {"parent", or_null(parent)}, {"partitioned", partitioned}});
    }
    void arrows(const std::string& from, const GraphWays& ways, const std::string& parent) {
        for (const Arrow& arrow : arrows_of(ways, parent))
            edges.push_back({{"from", from},
                             {"to", arrow.ends.empty() ? arrow.to : arrow.ends},
                             {"kind", kind_of(arrow)},
                             {"on", or_null(arrow.on)},
                             {"pause", or_null(arrow.pause)},
                             {"exit_status", or_null(arrow.exit_status)}});
    }
};

}  // namespace

std::string graph_json(const JobDefinition& job) {
    JsonGraph graph;
    graph.elements(job.elements, "");
    const Json whole{{"job", job.id}, {"nodes", std::move(graph.nodes)}, {"edges", std::move(graph.edges)}};
    return whole.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace fermata
