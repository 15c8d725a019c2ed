#pragma once
// The report on stdout while something runs: each step once, when it has ended, above the display.
#include <set>
#include <string>
#include <utility>

#include "output.hpp"
#include "progress.hpp"

namespace fermata::cli {

/// The report is for people; json and name have their own output.
[[nodiscard]] inline bool prints_report(const Output& out) { return out.format() == Format::table; }

class StepLines {
public:
    StepLines(Output& out, ProgressDisplay& display) : out_(out), display_(display) {}
    void print_ended(const RunningJob& job);

private:
    Output& out_;
    ProgressDisplay& display_;
    std::set<std::pair<std::string, std::int64_t>> printed_;
};

}  // namespace fermata::cli
