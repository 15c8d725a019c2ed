#pragma once
// The steps of a job and what leads where, for `fermata graph`. Works on any definition, also one with errors.
#include <fermata/model/job_definition.hpp>

#include <string>

namespace fermata {

/// One line a transition, indented below its step, in document order.
[[nodiscard]] std::string graph_text(const JobDefinition& job);
/// For Graphviz: steps are boxes, the ways a job can end are ellipses.
[[nodiscard]] std::string graph_dot(const JobDefinition& job);

}  // namespace fermata
