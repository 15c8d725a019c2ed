#pragma once
// A time in what programs read.
#include <fermata/base/clock.hpp>

#include <optional>
#include <string>

namespace fermata::cli {

/// UTC; an empty text if there is none.
[[nodiscard]] inline std::string plain_time(const std::optional<Timestamp>& time) {
    return time ? to_rfc3339(*time) : std::string();
}

}  // namespace fermata::cli
