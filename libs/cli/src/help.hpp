#pragma once
#include <string>

#include "command.hpp"

namespace fermata::cli {

/// `fermata --help`: the verbs by group, the global options.
[[nodiscard]] std::string help_of_all(const Options& global);
/// `fermata VERB --help`.
[[nodiscard]] std::string help_of(const Descriptor& descriptor, const Options& own, const Options& global);

}  // namespace fermata::cli
