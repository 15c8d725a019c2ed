#pragma once
// Points in time as people type and read them: the clock on their wall.
#include <fermata/base/clock.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace fermata::cli {

/// "2026-11-22 07:30", with seconds or without, "T" or a space between; "2026-11-22" is its midnight, "07:30" today's;
/// "now", "today", "yesterday". All in local time, unless an offset or Z follows. Nothing on anything else.
[[nodiscard]] std::optional<Timestamp> parse_local_time(std::string_view text, Timestamp now);
/// "2026-11-21 22:00:06", local time.
[[nodiscard]] std::string local_time(Timestamp time);

}  // namespace fermata::cli
