#pragma once
// Where the walk can go: targets that exist and stay in their scope, elements that are reached, ways that are certain
// to enter one twice (§8.9.3).
#include <fermata/model/diagnostic.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fermata {

/// One way out of an element that names another: a next attribute, a next element, or where a stop restarts.
struct Link {
    std::string written;                ///< `next="load"`, for messages
    std::optional<std::string> target;  ///< nothing: not known without parameters
    bool is_restart = false;
    Position at;
};

struct PathElement {
    std::string word;  ///< "step", "flow", "split", "decision"
    std::string id;
    std::vector<Link> links;
    std::optional<std::size_t> certain;  ///< the link that is followed whatever its exit status
    Position at;
};

/// The elements among which transitions lead: those of the job, of a flow, or the flows of a split (which all begin
/// together, and lead nowhere).
struct PathScope {
    std::string name;  ///< `this job`, `flow "f"`, `split "s"`
    bool is_split = false;
    std::vector<PathElement> elements;
};

/// The first scope is the job's. A link that restarts leads to one of its elements, wherever it starts from.
void check_paths(const std::vector<PathScope>& scopes, const std::string& file, Diagnostics& diagnostics);

}  // namespace fermata
