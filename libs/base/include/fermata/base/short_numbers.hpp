#pragma once
// Numbers as most are written, inline for whoever reads one a cell. Of a text that is none of them they answer nothing:
// then parse_int64() and parse_double() (text.hpp) know what it is.
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace fermata {

namespace detail {
/// More than 9: no digit.
inline unsigned digit_of(char character) noexcept { return static_cast<unsigned char>(character - '0'); }
}  // namespace detail

/// Digits, so few that they fit whatever they are.
[[nodiscard]] inline std::optional<std::int64_t> short_integer(std::string_view text) noexcept {
    constexpr std::size_t most = std::numeric_limits<std::int64_t>::digits10;
    const bool is_negative = text.starts_with('-');
    text.remove_prefix(is_negative ? 1 : 0);
    if (text.empty() || text.size() > most) return std::nullopt;
    std::int64_t number = 0;
    for (const char character : text) {
        const unsigned digit = detail::digit_of(character);
        if (digit > 9) return std::nullopt;
        number = number * 10 + digit;
    }
    return is_negative ? -number : number;
}

/// Digits, a point and digits, at most fifteen: as a whole number and as a power of ten exact in a double, so that
/// their quotient is the nearest one (Clinger 1990, "How to read floating point numbers accurately").
[[nodiscard]] inline std::optional<double> short_decimal(std::string_view text) noexcept {
    static constexpr std::array<double, 16> powers{1e0, 1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                                   1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
    const bool is_negative = text.starts_with('-');
    text.remove_prefix(is_negative ? 1 : 0);
    if (text.size() > powers.size()) return std::nullopt;
    std::int64_t whole = 0;
    std::size_t point = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const unsigned digit = detail::digit_of(text[i]);
        if (digit <= 9)
            whole = whole * 10 + digit;
        else if (text[i] == '.' && point == 0)
            point = i;
        else
            return std::nullopt;
    }
    if (point == 0 || point + 1 == text.size()) return std::nullopt;
    const double number = static_cast<double>(whole) / powers[text.size() - point - 1];
    return is_negative ? -number : number;
}

}  // namespace fermata
