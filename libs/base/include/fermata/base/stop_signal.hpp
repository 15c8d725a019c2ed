#pragma once
// A stop token with a cause: who asked, and how urgently. The first request sets the reason; a later one may only raise
// the level (an operator's `stop --now` after a `stop`). Thread-safe; requesting never blocks on user code for long:
// callbacks run on the requesting thread and must only wake somebody.
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <stop_token>
#include <string>

namespace fermata {

enum class StopReason : std::uint8_t {
    none,
    operator_asked,  ///< `stop EXEC` from anywhere
    interrupted,     ///< Ctrl-C or TERM on a foreground run
    fenced,          ///< another owner holds the execution now: write nothing more
};

class StopSignal {
public:
    StopSignal() = default;
    StopSignal(const StopSignal&) = delete;
    StopSignal& operator=(const StopSignal&) = delete;

    /// Returns whether this call was the first.
    bool request(StopReason reason) {
        StopReason expected = StopReason::none;
        const bool first = reason_.compare_exchange_strong(expected, reason);
        source_.request_stop();
        return first;
    }
    /// Stop, and do not wait for children to end by themselves. Runs `on_urgent` callbacks once.
    void request_now(StopReason reason) {
        now_.store(true);
        request(reason);
        urgent_.request_stop();
    }
    [[nodiscard]] bool requested() const noexcept {
        return reason_.load(std::memory_order_relaxed) != StopReason::none;
    }
    [[nodiscard]] bool now() const noexcept { return now_.load(std::memory_order_relaxed); }
    [[nodiscard]] StopReason reason() const noexcept { return reason_.load(); }
    [[nodiscard]] std::stop_token token() const noexcept { return source_.get_token(); }
    /// Stops when `stop --now` is asked, or asked after a plain stop.
    [[nodiscard]] std::stop_token urgent_token() const noexcept { return urgent_.get_token(); }

private:
    std::atomic<StopReason> reason_{StopReason::none};
    std::atomic<bool> now_{false};
    std::stop_source source_;
    std::stop_source urgent_;
};

}  // namespace fermata
