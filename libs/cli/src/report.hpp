#pragma once
// The lines people read about a run: what it is, each step as it ends, how it ended.
#include <fermata/runtime/job_operator.hpp>

#include <string>

#include "execution_view.hpp"
#include "output.hpp"

namespace fermata::cli {

/// "nightly  execution 42  instance 17  date=2026-11-21"
[[nodiscard]] std::string header_line(const JobExecution& execution, const Style& style);
/// "✓ load        41.0s  read 1,000,000  written 999,812  filtered 150  skipped 38   24.4k/s"
[[nodiscard]] std::string step_line(const RunningStep& step, const Style& style);
/// "COMPLETED in 44.9s   38 items skipped: fermata show 42 --skips"; what failed, and what to do next.
[[nodiscard]] std::string closing_lines(const JobExecution& execution, const std::vector<Action>& actions,
                                        std::int64_t skipped, const Style& style);

/// "read 1,000,000  written 999,812  filtered 150  skipped 38"; empty if nothing was read.
[[nodiscard]] std::string counts_text(const Metrics& metrics);
/// "24.4k/s"
[[nodiscard]] std::string rate_text(double per_second);
/// "  eta 20.0s": what is left, at the pace of what was done here; nothing while that is unknown.
[[nodiscard]] std::string eta_text(const RunningStep& step, Timestamp now);
[[nodiscard]] std::int64_t skipped(const Metrics& metrics);
/// What an execution of any process looks like in the repository, in the shape of one that runs here.
[[nodiscard]] RunningJob snapshot_of(Repository& repository, const JobExecution& execution);

}  // namespace fermata::cli
