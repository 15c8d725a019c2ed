#include "utf8.hpp"

#include <fermata/base/short_numbers.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstring>

namespace fermata {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string lowered(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), lower);
    return result;
}

/// Optimal string alignment: insert, delete, replace, swap neighbours.
std::size_t distance(std::string_view a, std::string_view b) {
    std::array<std::vector<std::size_t>, 3> rows;
    for (auto& row : rows) row.resize(b.size() + 1);
    auto& [before, above, row] = rows;
    for (std::size_t j = 0; j <= b.size(); ++j) above[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replace = above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = std::min({above[j] + 1, row[j - 1] + 1, replace});
            const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
        }
        std::swap(before, above);
        std::swap(above, row);
    }
    return above[b.size()];
}

/// What stands for the `length` bytes of one character, 0 for a byte that is none.
std::string printable_character(std::string_view text, std::size_t length) {
    if (text[0] == '\n') return "\\n";
    const auto first = static_cast<unsigned char>(text[0]);
    // U+0080..U+009F: terminals take them for ESC sequences.
    const bool c1 = length == 2 && first == 0xC2 && static_cast<unsigned char>(text[1]) < 0xA0;
    const bool c0 = length == 1 && (first < 0x20 || first == 0x7F);
    if (length > 0 && !c0 && !c1) return std::string(text.substr(0, length));
    std::string escaped;
    for (const char c : text.substr(0, std::max<std::size_t>(length, 1)))
        escaped += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
    return escaped;
}

std::size_t character_length(std::string_view text) { return std::max<std::size_t>(utf8::length_of_first(text), 1); }

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
    const std::string wanted = lowered(word);
    std::size_t best = word.size() / 3;
    std::optional<std::string> result;
    for (const auto& candidate : candidates) {
        const std::size_t away = distance(wanted, lowered(candidate));
        if (away > best || (result && away == best)) continue;
        best = away;
        result = candidate;
    }
    return result;
}

std::string did_you_mean(std::string_view word, std::span<const std::string> candidates) {
    const auto found = nearest(word, candidates);
    return found ? fmt::format("; did you mean \"{}\"?", *found) : std::string();
}

std::string with_commas(std::int64_t number) {
    std::string text = fmt::format("{}", number);
    const std::size_t first_digit = number < 0 ? 1 : 0;
    for (std::size_t i = text.size(); i > first_digit + 3;) text.insert(i -= 3, 1, ',');
    return text;
}

std::string printable(std::string_view text, std::size_t limit) {
    std::string result;
    while (!text.empty()) {
        const std::size_t length = utf8::length_of_first(text);
        const std::string shown = printable_character(text, length);
        if (result.size() + shown.size() > limit) return result + "…";
        result += shown;
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    return result;
}

bool matches_glob(std::string_view pattern, std::string_view text) {
    // After a star only the latest one needs to be tried again: what an earlier one took is settled.
    std::optional<std::string_view> after_star;
    std::string_view retry;
    while (!text.empty()) {
        if (!pattern.empty() && pattern[0] == '*') {
            pattern.remove_prefix(1);
            after_star = pattern;
            retry = text;
        } else if (!pattern.empty() && pattern[0] == '?') {
            pattern.remove_prefix(1);
            text.remove_prefix(character_length(text));
        } else if (!pattern.empty() && pattern[0] == text[0]) {
            pattern.remove_prefix(1);
            text.remove_prefix(1);
        } else if (after_star) {
            retry.remove_prefix(character_length(retry));
            pattern = *after_star;
            text = retry;
        } else {
            return false;
        }
    }
    return pattern.find_first_not_of('*') == std::string_view::npos;
}

namespace {

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
    Number number{};
    const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || stop != text.data() + text.size()) return std::nullopt;
    return number;
}

}  // namespace

std::optional<std::int64_t> parse_int64(std::string_view text) {
    if (const auto number = short_integer(text)) return *number;
    return parse_number<std::int64_t>(text);
}

std::optional<double> parse_double(std::string_view text) {
    if (const auto number = short_decimal(text)) return *number;
    const auto number = parse_number<double>(text);
    // from_chars takes "inf" and "nan", which are no numbers.
    return number && std::isfinite(*number) ? number : std::nullopt;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    for (;;) {
        const auto end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

std::string_view trim(std::string_view text) {
    constexpr std::string_view spaces = " \t\r\n\f\v";
    const auto first = text.find_first_not_of(spaces);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(spaces) - first + 1);
}

bool is_utf8(std::string_view text) {
    constexpr std::uint64_t high_bits = 0x8080'8080'8080'8080;
    std::size_t i = 0;
    while (i < text.size()) {
        for (std::uint64_t word = 0; i + sizeof word <= text.size(); i += sizeof word) {
            std::memcpy(&word, text.data() + i, sizeof word);
            if ((word & high_bits) != 0) break;
        }
        for (const std::size_t end = std::min(i + sizeof(std::uint64_t), text.size()); i < end;) {
            const std::size_t length = utf8::length_of_first(text.substr(i));
            if (length == 0) return false;
            i += length;
        }
    }
    return true;
}

}  // namespace fermata
