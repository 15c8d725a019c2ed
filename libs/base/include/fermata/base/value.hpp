#pragma once
// One cell of a row or one bound parameter: null, bool, int64, double, text or bytes, 16 bytes, no ownership. Text and
// bytes point into memory somebody else keeps (an arena, a column of a result); each user says for how long.
#include <cstddef>
#include <cstdint>
#include <limits>
#include <span>
#include <string_view>

namespace fermata {

class Value {
public:
    /// As wide as what is left of 16 bytes: with padding GCC 12 copies a value by two overlapping moves, which stall.
    enum class Kind : std::uint32_t { null, boolean, integer, real, text, bytes };

    constexpr Value() noexcept : content_{.integer = 0}, size_(0), kind_(Kind::null) {}
    constexpr Value(std::nullptr_t) noexcept : Value() {}
    constexpr Value(bool value) noexcept : content_{.integer = value ? 1 : 0}, size_(0), kind_(Kind::boolean) {}
    constexpr Value(int value) noexcept : content_{.integer = value}, size_(0), kind_(Kind::integer) {}
    constexpr Value(std::int64_t value) noexcept : content_{.integer = value}, size_(0), kind_(Kind::integer) {}
    constexpr Value(double value) noexcept : content_{.real = value}, size_(0), kind_(Kind::real) {}
    /// Borrowed. Longer than 4 GiB - 1 is a programming error (readers limit lines long before).
    constexpr Value(std::string_view text) noexcept
        // NOLINTNEXTLINE(bugprone-suspicious-stringview-data-usage): the size stands beside it
        : content_{.text = text.data()}, size_(static_cast<std::uint32_t>(text.size())), kind_(Kind::text) {}
    constexpr Value(const char* text) noexcept : Value(std::string_view(text)) {}
    Value(std::span<const std::byte> bytes) noexcept
        : content_{.text = reinterpret_cast<const char*>(bytes.data())},
          size_(static_cast<std::uint32_t>(bytes.size())),
          kind_(Kind::bytes) {}

    [[nodiscard]] constexpr Kind kind() const noexcept { return kind_; }
    [[nodiscard]] constexpr bool is_null() const noexcept { return kind_ == Kind::null; }
    /// REQUIRES: kind() is the kind asked for.
    [[nodiscard]] constexpr bool boolean() const noexcept { return content_.integer != 0; }
    [[nodiscard]] constexpr std::int64_t integer() const noexcept { return content_.integer; }
    [[nodiscard]] constexpr double real() const noexcept { return content_.real; }
    [[nodiscard]] constexpr std::string_view text() const noexcept { return {content_.text, size_}; }
    [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
        return {reinterpret_cast<const std::byte*>(content_.text), size_};
    }

private:
    union Content {
        std::int64_t integer;
        double real;
        const char* text;
    };
    Content content_;
    std::uint32_t size_;
    Kind kind_;
};
static_assert(sizeof(Value) == 16);

}  // namespace fermata
