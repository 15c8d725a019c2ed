#pragma once
// Whether an execution does anything itself, or only waits for partitions that workers run: then it holds no slot of
// its worker. Counts steps: what stands between them takes no time. Thread-safe.
#include <functional>
#include <mutex>
#include <utility>

namespace fermata {

class Occupancy {
public:
    /// `changed` is called, on any thread, each time only_waits() has become true.
    explicit Occupancy(std::function<void()> changed) : changed_(std::move(changed)) {}

    [[nodiscard]] bool only_waits() const {
        const std::lock_guard lock(mutex_);
        return is_waiting();
    }

    /// A step that was entered, for as long as it lives.
    class Step {
    public:
        explicit Step(Occupancy& occupancy) : occupancy_(occupancy) { occupancy_.count(1, 0); }
        ~Step() { occupancy_.count(-1, 0); }
        Step(const Step&) = delete;
        Step& operator=(const Step&) = delete;

    private:
        Occupancy& occupancy_;
    };
    /// Such a step waits for partitions.
    class Wait {
    public:
        explicit Wait(Occupancy& occupancy) : occupancy_(occupancy) { occupancy_.count(0, 1); }
        ~Wait() { occupancy_.count(0, -1); }
        Wait(const Wait&) = delete;
        Wait& operator=(const Wait&) = delete;

    private:
        Occupancy& occupancy_;
    };

private:
    [[nodiscard]] bool is_waiting() const { return waiting_ > 0 && waiting_ == steps_; }
    void count(int steps, int waiting) {
        {
            const std::lock_guard lock(mutex_);
            const bool before = is_waiting();
            steps_ += steps;
            waiting_ += waiting;
            if (before || !is_waiting()) return;
        }
        if (changed_) changed_();
    }

    const std::function<void()> changed_;
    mutable std::mutex mutex_;
    int steps_ = 0;
    int waiting_ = 0;
};

}  // namespace fermata
