#pragma once
// The elements of a job and what leads where, for `fermata graph`. Works on any definition, also one with errors.
#include <fermata/model/job_definition.hpp>

#include <string>

namespace fermata {

/// One line a transition, indented below its element, in document order.
[[nodiscard]] std::string graph_text(const JobDefinition& job);
/// For Graphviz: steps are boxes, partitioned ones with a double line, decisions diamonds, flows boxes around what they
/// hold, the ways a job can end ellipses.
[[nodiscard]] std::string graph_dot(const JobDefinition& job);
/// {"job", "nodes": [{"id", "kind", "parent", "partitioned"}], "edges": [{"from", "to", "kind", "on", "pause",
/// "exit_status"}]}, in document order, on one line. An edge's kind is next (to an element), restart, flow_end (to the
/// flow it ends) or end (to a status); `on` is null where none of the other edges counts. Keys are always there, and
/// may grow.
[[nodiscard]] std::string graph_json(const JobDefinition& job);
/// A picture of its own, for browsers.
[[nodiscard]] std::string graph_svg(const JobDefinition& job);

}  // namespace fermata
