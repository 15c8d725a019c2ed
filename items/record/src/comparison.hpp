#pragma once
// The leaves of a condition: one column against one value.
#include "condition.hpp"

#include <compare>
#include <cstdint>
#include <string>
#include <variant>

namespace fermata::record {

enum class Operator : std::uint8_t { equal, not_equal, less, less_or_equal, greater, greater_or_equal };
using Literal = std::variant<std::int64_t, double, bool, std::string>;

[[nodiscard]] std::unique_ptr<Condition> compare(std::string column, Operator op, Literal literal);
[[nodiscard]] std::unique_ptr<Condition> is_null(std::string column);
[[nodiscard]] std::unique_ptr<Condition> like(std::string column, std::string pattern);

/// `%` is any run of bytes, `_` one UTF-8 character.
[[nodiscard]] bool matches_like(std::string_view pattern, std::string_view text);

}  // namespace fermata::record
