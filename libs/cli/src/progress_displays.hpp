#pragma once
// The kinds of display; progress.cpp chooses.
#include <chrono>

#include "progress.hpp"
#include "report.hpp"

namespace fermata::cli {

/// Items a second over the last few samples of one step.
class Rate {
public:
    double sample(const RunningStep& step) {
        const auto now = std::chrono::steady_clock::now();
        if (step.id != step_ || step.metrics.read < read_) {
            step_ = step.id;
            read_ = step.metrics.read;
            at_ = now;
            rate_ = 0;
        } else if (const std::chrono::duration<double> passed = now - at_; passed.count() >= 1) {
            rate_ = static_cast<double>(step.metrics.read - read_) / passed.count();
            read_ = step.metrics.read;
            at_ = now;
        }
        return rate_;
    }

private:
    StepExecutionId step_;
    std::int64_t read_ = 0;
    std::chrono::steady_clock::time_point at_;
    double rate_ = 0;
};

[[nodiscard]] std::unique_ptr<ProgressDisplay> make_plain_progress(std::string job_name);
[[nodiscard]] std::unique_ptr<ProgressDisplay> make_terminal_progress(std::string job_name, std::string hint,
                                                                      const Style& style);

}  // namespace fermata::cli
