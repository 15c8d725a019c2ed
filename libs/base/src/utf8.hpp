#pragma once
// One character of UTF-8 (RFC 3629: no surrogates, nothing over-long, nothing past U+10FFFF).
#include <cstddef>
#include <string_view>

namespace fermata::utf8 {

/// Bytes of the character that `text` begins with; 0 if it begins with none. REQUIRES: text is not empty.
inline std::size_t length_of_first(std::string_view text) noexcept {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const auto tail = [&](std::size_t i) { return (byte(i) & 0xC0U) == 0x80U; };
    const unsigned char first = byte(0);
    if (first < 0x80) return 1;
    if (first < 0xC2 || first > 0xF4) return 0;
    const std::size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (text.size() < length) return 0;
    const unsigned lowest = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    const unsigned highest = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;
    if (byte(1) < lowest || byte(1) > highest) return 0;
    for (std::size_t i = 2; i < length; ++i)
        if (!tail(i)) return 0;
    return length;
}

}  // namespace fermata::utf8
