#pragma once
// Numbers in network order. Inline, because bulk writing does it for every cell.
#include <bit>
#include <cstdint>
#include <cstring>
#include <string>

namespace fermata::postgres {

inline std::uint16_t swapped(std::uint16_t value) noexcept { return __builtin_bswap16(value); }
inline std::uint32_t swapped(std::uint32_t value) noexcept { return __builtin_bswap32(value); }
inline std::uint64_t swapped(std::uint64_t value) noexcept { return __builtin_bswap64(value); }

template <class T>
[[nodiscard]] T big_endian(T value) noexcept {
    return std::endian::native == std::endian::little ? swapped(value) : value;
}

template <class T>
[[nodiscard]] T read_big_endian(const char* bytes) noexcept {
    T value = 0;
    std::memcpy(&value, bytes, sizeof(T));
    return big_endian(value);
}

template <class T>
void append_big_endian(std::string& out, T value) {
    const T wire = big_endian(value);
    out.append(reinterpret_cast<const char*>(&wire), sizeof(T));
}

/// Behind it.
template <class T>
[[nodiscard]] char* put_big_endian(char* place, T value) noexcept {
    const T wire = big_endian(value);
    std::memcpy(place, &wire, sizeof(T));
    return place + sizeof(T);
}

inline void append_int2(std::string& out, std::int16_t value) {
    append_big_endian(out, static_cast<std::uint16_t>(value));
}
inline void append_int4(std::string& out, std::int32_t value) {
    append_big_endian(out, static_cast<std::uint32_t>(value));
}
inline void append_int8(std::string& out, std::int64_t value) {
    append_big_endian(out, static_cast<std::uint64_t>(value));
}
inline void append_float4(std::string& out, float value) {
    append_big_endian(out, std::bit_cast<std::uint32_t>(value));
}
inline void append_float8(std::string& out, double value) {
    append_big_endian(out, std::bit_cast<std::uint64_t>(value));
}

/// A length and as many bytes at once.
template <class T>
void append_sized(std::string& out, T value) {
    constexpr std::size_t prefix = sizeof(std::uint32_t);
    char bytes[prefix + sizeof(T)];
    const auto length = big_endian(static_cast<std::uint32_t>(sizeof(T)));
    const T wire = big_endian(value);
    std::memcpy(bytes, &length, prefix);
    std::memcpy(bytes + prefix, &wire, sizeof(T));
    out.append(bytes, sizeof bytes);
}

}  // namespace fermata::postgres
