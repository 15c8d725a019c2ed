#pragma once
// How long a server that cannot be reached is waited for, and whether it is the same one afterwards.
#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

namespace fermata::postgres {

/// Where a server's log is. A server that takes another one's place, or is restored to a point in time, begins a
/// timeline of its own; on one timeline what is on the disk only grows.
struct History {
    std::string timeline;
    std::int64_t flushed = 0;
};

/// One for all connections of a database: of many calls in a row during one outage only the first waits all the bound.
class Outage {
public:
    explicit Outage(std::chrono::milliseconds bound) : bound_(bound) {}

    [[nodiscard]] std::chrono::milliseconds bound() const noexcept { return bound_; }
    /// The server was not reached just now; whether it is worth to try again.
    [[nodiscard]] bool goes_on();
    /// It was reached.
    void ended();
    /// What the sessions so far have found.
    [[nodiscard]] std::optional<History> known();
    /// Before anything is asked of a new session; `before`: what was known when it was opened, since others may have
    /// looked later than it did and told first. Throws Error(stale) if what was committed earlier may be missing
    /// there: what this process remembers may never have been.
    void require_same(const History& found, const std::optional<History>& before, const std::string& database);

private:
    using Instant = std::chrono::steady_clock::time_point;
    const std::chrono::milliseconds bound_;
    std::mutex mutex_;
    std::optional<Instant> began_;
    Instant last_{};  ///< when it was last missed
    std::optional<History> known_;
};

}  // namespace fermata::postgres
