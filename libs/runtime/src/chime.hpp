#pragma once
// Wakes whoever waits, in this process, for partitions to end: one of its own has ended, or others were heard of. A
// hint: who waits looks once a second anyway. Thread-safe.
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace fermata {

class Chime {
public:
    void ring() {
        const std::lock_guard lock(mutex_);
        ++rings_;
        rung_.notify_all();
    }
    [[nodiscard]] std::uint64_t rings() const {
        const std::lock_guard lock(mutex_);
        return rings_;
    }
    /// Returns after a ring that is not among those `heard`, or after `bound`.
    void wait(std::uint64_t heard, std::chrono::milliseconds bound) {
        std::unique_lock lock(mutex_);
        rung_.wait_for(lock, bound, [&] { return rings_ != heard; });
    }

private:
    mutable std::mutex mutex_;
    std::condition_variable rung_;
    std::uint64_t rings_ = 0;
};

}  // namespace fermata
