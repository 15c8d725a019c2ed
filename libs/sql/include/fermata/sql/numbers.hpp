#pragma once
// For drivers: what is wrong with a value of a column of integers.
#include <cmath>
#include <optional>
#include <string_view>

namespace fermata::sql {

/// `number`: the value, if it is a number.
[[nodiscard]] inline std::string_view why_no_integer(std::optional<double> number) noexcept {
    if (!number || std::isnan(*number)) return "is not a number";
    return std::trunc(*number) == *number ? "is too large" : "is no whole number";
}

}  // namespace fermata::sql
