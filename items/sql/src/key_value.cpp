#include "key_value.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <optional>

namespace fermata {
namespace {

constexpr char integer_type = 'i';
constexpr char real_type = 'r';
constexpr char text_type = 't';
constexpr char bytes_type = 'b';

std::string to_hex(std::span<const std::byte> bytes) {
    std::string hex;
    for (const std::byte byte : bytes) hex += fmt::format("{:02x}", std::to_integer<unsigned>(byte));
    return hex;
}

template <class T>
std::optional<T> from_hex(std::string_view hex) {
    T number{};
    const auto parsed = std::from_chars(hex.data(), hex.data() + hex.size(), number, 16);
    if (hex.empty() || parsed.ec != std::errc{} || parsed.ptr != hex.data() + hex.size()) return std::nullopt;
    return number;
}

std::optional<std::string> bytes_from_hex(std::string_view hex) {
    std::string bytes;
    if (hex.size() % 2 != 0) return std::nullopt;
    for (std::size_t at = 0; at < hex.size(); at += 2) {
        const auto byte = from_hex<unsigned char>(hex.substr(at, 2));
        if (!byte) return std::nullopt;
        bytes.push_back(static_cast<char>(*byte));
    }
    return bytes;
}

}  // namespace

bool is_key(const Value& key) noexcept { return !key.is_null() && key.kind() != Value::Kind::boolean; }

bool same_key(const Value& a, const Value& b) noexcept {
    if (a.kind() != b.kind()) return false;
    if (a.kind() == Value::Kind::integer) return a.integer() == b.integer();
    if (a.kind() == Value::Kind::real) return a.real() == b.real();
    return std::ranges::equal(a.bytes(), b.bytes());
}

std::string encode_key(const Value& key) {
    if (key.kind() == Value::Kind::integer) return fmt::format("{}{}", integer_type, key.integer());
    if (key.kind() == Value::Kind::real)
        return fmt::format("{}{:016x}", real_type, std::bit_cast<std::uint64_t>(key.real()));
    if (key.kind() == Value::Kind::text) return fmt::format("{}{}", text_type, key.text());
    return fmt::format("{}{}", bytes_type, to_hex(key.bytes()));
}

DecodedKey::DecodedKey(const std::string& encoded)
    : type_(encoded.empty() ? '\0' : encoded.front()), bytes_(encoded, encoded.empty() ? 0 : 1) {
    bool good = type_ == text_type;
    if (type_ == integer_type) {
        const auto number = parse_int64(bytes_);
        good = number.has_value();
        if (good) number_ = *number;
    } else if (type_ == real_type) {
        const auto bits = from_hex<std::uint64_t>(bytes_);
        good = bits.has_value();
        if (good) number_ = std::bit_cast<double>(*bits);
    } else if (type_ == bytes_type) {
        auto bytes = bytes_from_hex(bytes_);
        good = bytes.has_value();
        if (good) bytes_ = *std::move(bytes);
    }
    if (!good)
        throw Error(ErrorKind::refused, fmt::format("checkpoint unreadable: \"{}\" is no key", printable(encoded)));
}

Value DecodedKey::value() const {
    if (type_ == text_type) return std::string_view(bytes_);
    if (type_ == bytes_type) return std::as_bytes(std::span(bytes_));
    return number_;
}

}  // namespace fermata
