#pragma once
// Wall-clock time as the repository keeps it: microseconds since 1970, UTC. Durations as people write them.
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

using Duration = std::chrono::microseconds;
using Timestamp = std::chrono::sys_time<Duration>;

/// Time is injected wherever a decision depends on it, so that tests can own it. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    [[nodiscard]] virtual Timestamp now() const = 0;
    [[nodiscard]] static const Clock& system();
};

[[nodiscard]] constexpr std::int64_t to_micros(Timestamp time) { return time.time_since_epoch().count(); }
[[nodiscard]] constexpr Timestamp from_micros(std::int64_t micros) { return Timestamp{Duration{micros}}; }

/// "2026-11-21T22:00:06.123Z": RFC 3339, UTC, milliseconds.
[[nodiscard]] std::string to_rfc3339(Timestamp time);
/// Accepts what to_rfc3339 prints, any number of fraction digits, "+01:00" offsets, and a bare date (midnight UTC).
[[nodiscard]] std::optional<Timestamp> parse_rfc3339(std::string_view text);
/// "90s", "15m", "24h", "7d", "250ms", "1h30m", "0". Nothing on anything else, as a number without a unit, or overflow.
[[nodiscard]] std::optional<Duration> parse_duration(std::string_view text);
/// For people: "0.4s", "41.0s", "1:02:03".
[[nodiscard]] std::string to_human(Duration duration);

}  // namespace fermata
