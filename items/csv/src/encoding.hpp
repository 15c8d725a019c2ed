#pragma once
// Encodings that keep ASCII where it is, so that delimiters and line ends are found before anything is converted.
#include <fermata/batch/properties.hpp>

#include <cstdint>
#include <string_view>

namespace fermata::csv {

enum class Encoding : std::uint8_t { utf8, iso_8859_1, windows_1252 };

/// The property "encoding". Throws Error(invalid) listing what there is.
[[nodiscard]] Encoding encoding_of(const Properties& properties);

constexpr std::size_t most_utf8_bytes = 3;  ///< that one byte of the single-byte encodings becomes
/// Writes `text` as UTF-8 to `to`, which has most_utf8_bytes for each byte; returns the end of what was written.
/// REQUIRES: not utf8.
char* to_utf8(std::string_view text, Encoding encoding, char* to);

/// Offset of the first byte that is not UTF-8; REQUIRES: there is one.
[[nodiscard]] std::size_t first_invalid(std::string_view text);

}  // namespace fermata::csv
