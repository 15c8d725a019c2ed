#pragma once
// `fermata __complete WORD…`: what the last word could become, one candidate a line; "__files" alone asks the shell for
// its file names. Whatever is wrong with the words before, it answers what it can and never fails.
#include <string>
#include <vector>

#include "session.hpp"

namespace fermata::cli {

[[nodiscard]] std::vector<std::string> completions(Session& session, const std::vector<std::string>& words,
                                                   const Options& global);

}  // namespace fermata::cli
