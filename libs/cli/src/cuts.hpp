#pragma once
// Steps that somebody stopped while their job went on, in words.
#include <string>

#include "execution_view.hpp"

namespace fermata::cli {

/// "step import by ann@host pid 12 at 13:22:01, after item 12,000 (vendors.csv:612)"
[[nodiscard]] std::string cut_text(const StepCut& cut);
/// One line for each step of this execution that was, or is to be, stopped alone, and for those it has passed over
/// since they were cut short in an earlier execution.
[[nodiscard]] std::string cut_lines(const ExecutionView& view);
/// What a restart passes over although it was not done to its end: one line each, to be told.
[[nodiscard]] std::vector<std::string> cuts_passed_over(Repository& repository, JobInstanceId instance);

}  // namespace fermata::cli
