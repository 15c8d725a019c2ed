#pragma once
// A child one talks with by lines: a request in, a line out, without ever waiting on one pipe while another is full.
#include "error_tail.hpp"
#include "wake.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/stop_signal.hpp>

#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

namespace fermata {

struct PipeLimits {
    std::optional<Duration> timeout;  ///< for one reply
    Duration grace{};                 ///< to end by itself once its input has ended
    std::size_t max_line = 0;         ///< longest reply
};

/// Every failure is a ChildError that says how the child ended, with its last line on stderr; the child is of no use
/// afterwards. Killed by its destructor.
class PipeChild {
public:
    /// `hello` goes in front of the first request.
    PipeChild(ChildPlan plan, const StepContext& step, const PipeLimits& limits, std::string hello);

    /// Sends `request`, answers the next line without its line feed, valid until the next call and with `padding`
    /// readable bytes behind it. Throws also if `stop --now` was asked.
    [[nodiscard]] std::string_view exchange(std::string_view request, std::size_t padding);
    /// Ends its input and waits until it has ended; kills it after the grace. Throws on a bad exit.
    void finish();

private:
    void start();
    [[nodiscard]] bool complete();
    void wait_for_event(std::optional<SteadyTime> deadline);
    void send();
    void receive();
    void discard_output();
    [[nodiscard]] bool ended_before(SteadyTime deadline);
    [[noreturn]] void fail(const std::string& what);
    [[noreturn]] void fail_ended();
    [[nodiscard]] bool urgent() const { return step_.stop != nullptr && step_.stop->now(); }

    const StepContext& step_;
    ChildPlan plan_;
    PipeLimits limits_;
    Wake wake_;
    std::stop_callback<std::function<void()>> on_urgent_;
    ErrorTail errors_;
    File input_;
    File output_;
    std::optional<GuardedChild> child_;
    std::string pending_;
    std::size_t sent_ = 0;
    std::string received_;
    std::size_t line_size_ = 0;  ///< of the reply in front of received_, its line feed included
    std::size_t scanned_ = 0;
};

}  // namespace fermata
