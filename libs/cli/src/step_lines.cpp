#include "step_lines.hpp"

#include "report.hpp"

namespace fermata::cli {

void StepLines::print_ended(const RunningJob& job) {
    if (!prints_report(out_)) return;
    for (const auto& step : job.steps) {
        if (!step.ended && !step.passed) continue;
        if (!printed_.insert({step.name, step.id.value()}).second) continue;
        display_.clear();
        out_.write(step_line(step, out_.style()));
        out_.push();
    }
}

}  // namespace fermata::cli
