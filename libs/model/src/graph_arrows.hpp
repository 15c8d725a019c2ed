#pragma once
// What leads where, for every way to draw a job.
#include <fermata/model/job_definition.hpp>

#include <string>
#include <vector>

namespace fermata {

/// One arrow: where it leads (an element, the end of the flow, or how the job ends) and when.
struct Arrow {
    std::string when;  ///< empty: always
    std::string to;
    bool to_element = false;
    bool to_flow_end = false;
    bool is_restart = false;
    // The words above in pieces, for programs:
    std::string on = {};           ///< of a transition element
    std::string pause = {};        ///< the point it pauses at first
    std::string ends = {};         ///< how the job ends: a status
    std::string exit_status = {};  ///< and with which, if one is said
};

/// What leads out of an element, whatever it is.
struct GraphWays {
    const std::vector<TransitionDefinition>* transitions = nullptr;
    const std::optional<Template>* next = nullptr;
};
[[nodiscard]] GraphWays ways_of(const StepDefinition& step);
[[nodiscard]] GraphWays ways_of(const FlowDefinition& flow);
[[nodiscard]] GraphWays ways_of(const SplitDefinition& split);
[[nodiscard]] GraphWays ways_of(const DecisionDefinition& decision);

/// `flow`: the one the element stands in, empty for the job.
[[nodiscard]] std::vector<Arrow> arrows_of(const GraphWays& ways, const std::string& flow);

}  // namespace fermata
