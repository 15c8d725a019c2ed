#pragma once
#include <cstddef>
#include <span>
#include <string>

namespace fermata {

/// How text formats write bytes: two lower-case digits each.
[[nodiscard]] inline std::string to_hex(std::span<const std::byte> bytes) {
    constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const std::byte byte : bytes) {
        text += digits[std::to_integer<unsigned>(byte) >> 4];
        text += digits[std::to_integer<unsigned>(byte) & 0xF];
    }
    return text;
}

}  // namespace fermata
