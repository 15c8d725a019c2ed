#pragma once
// The step property `max-rate`: at most so many items a second, without ever holding up a stop.
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>

namespace fermata {

class Throttle {
public:
    /// 0 = unlimited. What goes on waits for its first item, too: however often it rests, it is not faster.
    Throttle(double items_per_second, bool goes_on)
        : rate_(items_per_second), started_(std::chrono::steady_clock::now()), items_(goes_on ? 1 : 0) {}

    [[nodiscard]] bool unlimited() const noexcept { return rate_ <= 0; }
    /// Returns when the next item is due, at once if `stop` is requested.
    void wait_for_next(std::stop_token stop) {
        const auto due = started_ + std::chrono::duration_cast<std::chrono::steady_clock::duration>(
                                        std::chrono::duration<double>(static_cast<double>(items_++) / rate_));
        if (due <= std::chrono::steady_clock::now()) return;
        std::unique_lock lock(mutex_);
        wake_.wait_until(lock, stop, due, [] { return false; });
    }

private:
    double rate_;
    std::chrono::steady_clock::time_point started_;
    long long items_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
};

}  // namespace fermata
