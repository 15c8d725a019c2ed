#pragma once
// For how long a partition keeps its slot while others wait for one.
#include <fermata/base/clock.hpp>

#include <chrono>
#include <functional>
#include <utility>

namespace fermata {

class Turn {
public:
    /// Begins now. `others_wait`: whether anything waits for the slot; it may throw as the repository does.
    Turn(Duration length, std::function<bool()> others_wait)
        : length_(length), others_wait_(std::move(others_wait)), began_(std::chrono::steady_clock::now()) {}

    /// To be asked at checkpoints. Others are asked about once a turn: if none waits, another turn begins.
    [[nodiscard]] bool is_over() {
        if (is_over_ || std::chrono::steady_clock::now() - began_ < length_) return is_over_;
        is_over_ = may_others_wait();
        began_ = std::chrono::steady_clock::now();
        return is_over_;
    }
    /// is_over() has said so.
    [[nodiscard]] bool was_over() const noexcept { return is_over_; }

private:
    /// What cannot be asked just now does not end what runs.
    [[nodiscard]] bool may_others_wait() const {
        try {
            return others_wait_();
        } catch (const std::exception&) {
            return false;
        }
    }

    const Duration length_;
    const std::function<bool()> others_wait_;
    std::chrono::steady_clock::time_point began_;
    bool is_over_ = false;
};

}  // namespace fermata
