#pragma once
// How long a server that cannot be reached is waited for.
#include <chrono>
#include <mutex>
#include <optional>

namespace fermata::postgres {

/// One for all connections of a database: of many calls in a row during one outage only the first waits all the bound.
class Outage {
public:
    explicit Outage(std::chrono::milliseconds bound) : bound_(bound) {}

    [[nodiscard]] std::chrono::milliseconds bound() const noexcept { return bound_; }
    /// The server was not reached just now; whether it is worth to try again.
    [[nodiscard]] bool goes_on();
    /// It was reached.
    void ended();

private:
    using Instant = std::chrono::steady_clock::time_point;
    const std::chrono::milliseconds bound_;
    std::mutex mutex_;
    std::optional<Instant> began_;
    Instant last_{};  ///< when it was last missed
};

}  // namespace fermata::postgres
