#pragma once
// The `command` batchlet: one command, its exit code the step's outcome.
#include "command_spec.hpp"
#include "error_tail.hpp"
#include "wake.hpp"

#include <fermata/base/clock.hpp>

#include <atomic>
#include <chrono>
#include <map>
#include <optional>

namespace fermata {

/// A command did not end within its `timeout`.
struct ChildTimeout : ChildError {
    using ChildError::ChildError;
};

class CommandBatchlet {
public:
    explicit CommandBatchlet(const ArtifactContext& context);

    /// The exit status of the code in exit-codes; "STOPPED" if our stop ended it; "" if its code asks for a pause.
    /// Throws ChildError on anything else.
    std::string process();
    void stop();

    [[nodiscard]] static ArtifactInfo info();
    [[nodiscard]] static std::vector<PropertyRule> rules();

private:
    using ExitCodes = std::map<int, std::string>;
    using PauseCodes = std::map<int, std::string>;  ///< to the point; empty: the step's name

    void supervise(GuardedChild& child, ErrorTail& errors);
    bool ended_after_event(GuardedChild& child, ErrorTail& errors);
    void begin_end_if_due(GuardedChild& child);
    void kill_if_due(GuardedChild& child);
    std::string judge(const ChildEnd& end, const ChildPlan& plan, std::string_view last_words) const;

    [[nodiscard]] static ExitCodes read_exit_codes(const Properties& properties);
    [[nodiscard]] static PauseCodes read_pause_codes(const Properties& properties, const ExitCodes& exit_codes);

    StepContext& step_;
    CommandSpec spec_;
    ExitCodes exit_codes_;
    PauseCodes pause_codes_;
    std::optional<Duration> timeout_;
    Duration grace_;

    Wake wake_;
    std::atomic<bool> stopping_{false};
    bool timed_out_ = false;
    bool ending_ = false;
    std::optional<SteadyTime> timeout_at_;
    std::optional<SteadyTime> kill_at_;
};

}  // namespace fermata
