#pragma once
// Where the walk can go: targets that exist, steps that are reached, ways that are certain to enter a step twice
// (§8.9.3).
#include <fermata/model/diagnostic.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fermata {

/// One way out of a step that names another: a next attribute, a next element, or where a stop restarts.
struct Link {
    std::string written;                ///< `next="load"`, for messages
    std::optional<std::string> target;  ///< nothing: not known without parameters
    bool is_restart = false;
    Position at;
};

struct PathStep {
    std::string id;
    std::vector<Link> links;
    std::optional<std::size_t> certain;  ///< the link that is followed whatever the step's exit status
    Position at;
};

void check_paths(const std::vector<PathStep>& steps, const std::string& file, Diagnostics& diagnostics);

}  // namespace fermata
