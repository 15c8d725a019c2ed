#pragma once
// Waiting for executions of other processes: they are looked at, again and again, in the repository.
#include <algorithm>
#include <chrono>
#include <optional>

#include "session.hpp"

namespace fermata::cli {

class Deadline {
public:
    explicit Deadline(std::optional<Duration> from_now) {
        if (from_now) end_ = std::chrono::steady_clock::now() + *from_now;
    }
    [[nodiscard]] bool passed() const { return end_ && std::chrono::steady_clock::now() >= *end_; }
    /// `pause`, or what is left if that is less.
    [[nodiscard]] std::chrono::milliseconds within(std::chrono::milliseconds pause) const {
        if (!end_) return pause;
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*end_ - std::chrono::steady_clock::now());
        return std::clamp(left, std::chrono::milliseconds(0), pause);
    }

private:
    std::optional<std::chrono::steady_clock::time_point> end_;
};

/// Its owner is lost, and no worker is there who will take it over.
[[nodiscard]] bool is_forsaken(Session& session, const JobExecution& execution);

/// Until it is no longer running: it has ended or is PAUSED. Throws Error(timed_out); Error(conflict) once it is
/// forsaken, since nobody will end it.
JobExecution await_end(Session& session, JobExecutionId id, const Deadline& deadline);

/// Until this step of it has ended; the same errors, also if the execution rests or ends without that.
StepExecution await_step_end(Session& session, JobExecutionId id, const std::string& step, const Deadline& deadline);

}  // namespace fermata::cli
