#include "types.hpp"

#include "wire.hpp"

#include <fermata/base/text.hpp>
#include <fermata/base/value_text.hpp>

#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <cstring>

namespace fermata::postgres {

std::optional<std::int64_t> whole(const Value& value) noexcept {
    if (value.kind() == Value::Kind::integer || value.kind() == Value::Kind::boolean) return value.integer();
    constexpr double limit = 9.2e18;
    if (value.kind() == Value::Kind::real && std::abs(value.real()) < limit && std::trunc(value.real()) == value.real())
        return static_cast<std::int64_t>(value.real());
    return std::nullopt;
}

bool is_native(Oid type) noexcept {
    switch (type) {
        case type::boolean:
        case type::bytes:
        case type::int8:
        case type::int2:
        case type::int4:
        case type::float4:
        case type::float8:
            return true;
        default:
            return is_text(type);
    }
}

Parameters::Parameters(std::span<const Value> values, std::span<const Oid> types)
    : values_(values.size(), &memory_),
      lengths_(values.size(), &memory_),
      formats_(values.size(), 1, &memory_),
      numbers_(values.size(), &memory_) {
    for (; at_ < values.size(); ++at_) add(values[at_], types[at_]);
}

void Parameters::add(const Value& value, Oid wanted) {
    if (value.is_null()) return;
    const bool wants_bytes = wanted == type::bytes || is_text(wanted);
    if (!has_bytes(value) && !wants_bytes) return add_number(value, wanted);
    if (!has_bytes(value)) return add_text(to_text(value), 1);
    if (!wants_bytes) return add_text(std::string(value.text()), 0);
    const std::string_view bytes = value.text();
    add_bytes(bytes.data(), bytes.size(), 1);
}

void Parameters::add_number(const Value& value, Oid wanted) {
    if (wanted == type::float8 || wanted == type::float4) {
        const double real = value.kind() == Value::Kind::real ? value.real() : static_cast<double>(value.integer());
        if (wanted == type::float8) return add_wire(std::bit_cast<std::uint64_t>(real));
        return add_wire(std::bit_cast<std::uint32_t>(static_cast<float>(real)));
    }
    const auto number = whole(value);
    // The server knows whether it can be one of its type, and says so better.
    if (!number || !add_integer(*number, wanted)) add_text(to_text(value), 0);
}

/// Of a type as wide as it has to be; false if it does not fit.
bool Parameters::add_integer(std::int64_t value, Oid wanted) {
    if (wanted == type::int8)
        add_wire(static_cast<std::uint64_t>(value));
    else if (wanted == type::int4 && fits<std::int32_t>(value))
        add_wire(static_cast<std::uint32_t>(value));
    else if (wanted == type::int2 && fits<std::int16_t>(value))
        add_wire(static_cast<std::uint16_t>(value));
    else if (wanted == type::boolean && (value == 0 || value == 1))
        add_bytes(value == 1 ? "\1" : "\0", 1, 1);
    else
        return false;
    return true;
}

void Parameters::add_text(std::string text, int format) {
    // What is no text goes out up to its first zero byte.
    if (format == 0 && text.find('\0') != std::string::npos)
        throw sql::SqlError(sql::SqlError::Kind::other,
                            fmt::format("\"{}\" holds a zero byte, which no number or date does", printable(text)));
    texts_.push_front(std::move(text));
    add_bytes(texts_.front().data(), texts_.front().size(), format);
}

template <class T>
void Parameters::add_wire(T value) {
    const T wire = big_endian(value);
    std::memcpy(numbers_[at_].data(), &wire, sizeof(T));
    add_bytes(numbers_[at_].data(), sizeof(T), 1);
}

void Parameters::add_bytes(const char* bytes, std::size_t size, int format) {
    // A null pointer would be NULL; an empty text is not null.
    values_[at_] = bytes != nullptr ? bytes : "";
    lengths_[at_] = static_cast<int>(size);
    formats_[at_] = format;
}

Rows::Rows(const PGresult* result)
    : result_(result),
      binary_(PQbinaryTuples(result) != 0),
      cells_(static_cast<std::size_t>(PQnfields(result))),
      unescaped_(cells_.size()) {}

std::span<const Value> Rows::operator[](int row) {
    for (std::size_t i = 0; i < cells_.size(); ++i) cells_[i] = cell(row, static_cast<int>(i));
    return cells_;
}

std::vector<std::string> Rows::columns() const {
    std::vector<std::string> names;
    for (int i = 0; i < PQnfields(result_); ++i) names.emplace_back(PQfname(result_, i));
    return names;
}

namespace {

Value binary_cell(const char* bytes, std::size_t size, Oid type) noexcept {
    switch (type) {
        case type::boolean:
            return Value(bytes[0] != 0);
        case type::int2:
            return Value(static_cast<std::int64_t>(static_cast<std::int16_t>(read_big_endian<std::uint16_t>(bytes))));
        case type::int4:
            return Value(static_cast<std::int64_t>(static_cast<std::int32_t>(read_big_endian<std::uint32_t>(bytes))));
        case type::int8:
            return Value(static_cast<std::int64_t>(read_big_endian<std::uint64_t>(bytes)));
        case type::float4:
            return Value(static_cast<double>(std::bit_cast<float>(read_big_endian<std::uint32_t>(bytes))));
        case type::float8:
            return Value(std::bit_cast<double>(read_big_endian<std::uint64_t>(bytes)));
        case type::bytes:
            return Value(std::span(reinterpret_cast<const std::byte*>(bytes), size));
        default:
            return Value(std::string_view(bytes, size));
    }
}

/// The server writes numbers so that they are read back exactly.
Value text_cell(std::string_view text, Oid type) noexcept {
    switch (type) {
        case type::boolean:
            return Value(text == "t");
        case type::int2:
        case type::int4:
        case type::int8:
            return Value(parse_int64(text).value_or(0));
        case type::float4:
        case type::float8: {
            if (text == "NaN") return Value(std::numeric_limits<double>::quiet_NaN());
            if (text == "Infinity") return Value(std::numeric_limits<double>::infinity());
            if (text == "-Infinity") return Value(-std::numeric_limits<double>::infinity());
            return Value(parse_double(text).value_or(0));
        }
        default:
            return Value(text);
    }
}

}  // namespace

Value Rows::cell(int row, int column) {
    if (PQgetisnull(result_, row, column) != 0) return {};
    const char* bytes = PQgetvalue(result_, row, column);
    const auto size = static_cast<std::size_t>(PQgetlength(result_, row, column));
    const Oid type = PQftype(result_, column);
    if (binary_) return binary_cell(bytes, size, type);
    if (type != type::bytes) return text_cell(std::string_view(bytes, size), type);
    std::size_t length = 0;
    auto& unescaped = unescaped_[static_cast<std::size_t>(column)];
    unescaped.reset(PQunescapeBytea(reinterpret_cast<const unsigned char*>(bytes), &length));
    return Value(std::span(reinterpret_cast<const std::byte*>(unescaped.get()), length));
}

}  // namespace fermata::postgres
