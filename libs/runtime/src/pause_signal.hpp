#pragma once
// Whether the execution is asked to rest. Unlike a stop this can be withdrawn, so what is learnt has an age: the newest
// pause epoch there was. Thread-safe.
#include <fermata/repository/repository.hpp>

#include <atomic>
#include <mutex>

namespace fermata {

class PauseSignal {
public:
    /// From the database; news that are older than what is known are none.
    void learn(const Requests& requests) {
        const bool asked = requests.status == BatchStatus::pausing;
        set(requests.pauses, asked, asked && requests.pause_now);
    }
    /// By something of this process, just now recorded.
    void opened(std::int64_t epoch) { set(epoch, true, true); }
    /// This process is about to leave: what it runs is to rest, for another one. Never withdrawn.
    void hand_on() { hands_on_.store(true); }

    /// To rest, whatever for.
    [[nodiscard]] bool requested() const noexcept { return asked() || hands_on(); }
    /// Chunk steps rest at the end of their chunk, too.
    [[nodiscard]] bool now() const noexcept { return now_.load(std::memory_order_relaxed) || hands_on(); }
    /// A pause is open.
    [[nodiscard]] bool asked() const noexcept { return requested_.load(std::memory_order_relaxed); }
    [[nodiscard]] bool hands_on() const noexcept { return hands_on_.load(std::memory_order_relaxed); }

private:
    void set(std::int64_t epoch, bool requested, bool now) {
        const std::lock_guard lock(mutex_);
        if (epoch < epoch_) return;
        epoch_ = epoch;
        requested_ = requested;
        now_ = now;
    }

    std::mutex mutex_;
    std::int64_t epoch_ = 0;
    std::atomic<bool> requested_{false};
    std::atomic<bool> now_{false};
    std::atomic<bool> hands_on_{false};
};

}  // namespace fermata
