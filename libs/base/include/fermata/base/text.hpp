#pragma once
// Text for people: suggestions, counts, safe printing.
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

/// The candidate nearest to `word` (Damerau-Levenshtein, at most a third of its length away, case ignored), for
/// "did you mean". Nothing if none is near.
[[nodiscard]] std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);
/// `; did you mean "X"?` or an empty string.
[[nodiscard]] std::string did_you_mean(std::string_view word, std::span<const std::string> candidates);
/// 1,234,567
[[nodiscard]] std::string with_commas(std::int64_t number);
/// Control characters, ESC and invalid UTF-8 as \xNN, line feeds as \n, cut after `limit` bytes with "…": safe on a
/// terminal and in a one-line message.
[[nodiscard]] std::string printable(std::string_view text, std::size_t limit = 200);
/// Whole-string match: `*` is any run, `?` any one character, all else literal (Jakarta Batch §8.6).
[[nodiscard]] bool matches_glob(std::string_view pattern, std::string_view text);
/// Whole text as a number in range, or nothing: no spaces, no sign but '-', no trailing text.
[[nodiscard]] std::optional<std::int64_t> parse_int64(std::string_view text);
[[nodiscard]] std::optional<double> parse_double(std::string_view text);
[[nodiscard]] std::vector<std::string> split(std::string_view text, char separator);
[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace fermata
