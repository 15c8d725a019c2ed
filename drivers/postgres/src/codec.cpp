#include "codec.hpp"

#include "wire.hpp"

#include <fermata/base/short_numbers.hpp>
#include <fermata/base/text.hpp>
#include <fermata/base/value_text.hpp>
#include <fermata/sql/numbers.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <limits>
#include <optional>

namespace fermata::postgres {

namespace {

constexpr std::int32_t null_length = -1;

bool is_one_of(std::string_view text, std::initializer_list<std::string_view> words) {
    const auto same = [&](std::string_view word) {
        return std::ranges::equal(text, word, {}, [](unsigned char c) { return std::tolower(c); });
    };
    return std::ranges::any_of(words, same);
}

std::optional<bool> parse_boolean(std::string_view text) {
    if (is_one_of(text, {"true", "t", "yes", "y", "on", "1"})) return true;
    if (is_one_of(text, {"false", "f", "no", "n", "off", "0"})) return false;
    return std::nullopt;
}

std::optional<std::int64_t> integer_in(const Value& cell) {
    if (cell.kind() == Value::Kind::text) return parse_int64(cell.text());
    if (cell.kind() == Value::Kind::bytes) return std::nullopt;
    return whole(cell);
}

std::optional<double> real_in(const Value& cell) {
    if (cell.kind() == Value::Kind::real) return cell.real();
    if (cell.kind() == Value::Kind::bytes) return std::nullopt;
    if (cell.kind() != Value::Kind::text) return static_cast<double>(cell.integer());
    return parse_double(cell.text());
}

}  // namespace

Codec::Codec(std::string table, TargetColumn column)
    : table_(std::move(table)), column_(std::move(column)), kind_(kind_of(column_.type)) {}

Codec::Kind Codec::kind_of(Oid type) noexcept {
    if (is_text(type)) return Kind::text;
    switch (type) {
        case type::int2:
            return Kind::int2;
        case type::int4:
            return Kind::int4;
        case type::int8:
            return Kind::int8;
        case type::float4:
            return Kind::float4;
        case type::float8:
            return Kind::float8;
        case type::boolean:
            return Kind::boolean;
        case type::bytes:
            return Kind::bytes;
        default:
            return Kind::cast;
    }
}

namespace {

struct WireType {
    Oid element;
    Oid array;
};
// By Codec::Kind.
constexpr std::array<WireType, 9> wire_types{{{type::int2, type::int2_array},
                                              {type::int4, type::int4_array},
                                              {type::int8, type::int8_array},
                                              {type::float4, type::float4_array},
                                              {type::float8, type::float8_array},
                                              {type::boolean, type::boolean_array},
                                              {type::text, type::text_array},
                                              {type::bytes, type::bytes_array},
                                              {type::text, type::text_array}}};

}  // namespace

Oid Codec::element() const noexcept { return wire_types[static_cast<std::size_t>(kind_)].element; }
Oid Codec::array() const noexcept { return wire_types[static_cast<std::size_t>(kind_)].array; }

std::string Codec::converted(const std::string& expression) const {
    return kind_ == Kind::cast ? fmt::format("CAST({} AS {})", expression, column_.cast) : expression;
}

namespace {

/// Of a column: its cells are so far apart.
class Column {
public:
    Column(std::span<const Value> cells, std::size_t width)
        : first_(cells.data()), width_(width), size_((cells.size() + width - 1) / width) {}
    [[nodiscard]] std::size_t size() const noexcept { return size_; }
    const Value& operator[](std::size_t row) const noexcept { return first_[row * width_]; }

private:
    const Value* first_;
    std::size_t width_;
    std::size_t size_;
};

/// What `bits` makes of each cell. Room is made once.
template <class Bits>
void append_numbers(std::string& out, const Column& column, Bits bits) {
    using Number = decltype(bits(column[0], 0));
    const std::size_t before = out.size();
    out.resize(before + (column.size() * (sizeof(std::uint32_t) + sizeof(Number))));
    char* place = out.data() + before;
    for (std::size_t row = 0; row < column.size(); ++row) {
        const Value& cell = column[row];
        if (cell.is_null()) {
            place = put_big_endian(place, static_cast<std::uint32_t>(null_length));
        } else {
            place = put_big_endian(place, static_cast<std::uint32_t>(sizeof(Number)));
            place = put_big_endian(place, bits(cell, row));
        }
    }
    out.resize(static_cast<std::size_t>(place - out.data()));
}

/// False, with nothing appended, if there is a number among them.
bool append_texts(std::string& out, const Column& column) {
    std::size_t size = 0;
    for (std::size_t row = 0; row < column.size(); ++row) {
        const Value& cell = column[row];
        if (!has_bytes(cell) && !cell.is_null()) return false;
        size += sizeof(std::uint32_t) + (cell.is_null() ? 0 : cell.text().size());
    }
    const std::size_t before = out.size();
    out.resize(before + size);
    char* place = out.data() + before;
    for (std::size_t row = 0; row < column.size(); ++row) {
        const Value& cell = column[row];
        const std::string_view text = cell.is_null() ? std::string_view() : cell.text();
        place = put_big_endian(place, static_cast<std::uint32_t>(cell.is_null() ? null_length : text.size()));
        place += text.copy(place, text.size());
    }
    return true;
}

}  // namespace

// Most cells of a column of numbers are short texts: those need no call.
template <class Number>
inline Number Codec::integer_of(const Value& cell, std::size_t row) const {
    if (cell.kind() == Value::Kind::text) {
        const auto number = short_integer(cell.text());
        if (number && fits<Number>(*number)) return static_cast<Number>(*number);
    }
    return other_integer<Number>(cell, row);
}

template <class Number>
inline Number Codec::real_of(const Value& cell, std::size_t row) const {
    if (cell.kind() == Value::Kind::text) {
        if (const auto number = short_decimal(cell.text())) return static_cast<Number>(*number);
    }
    return other_real<Number>(cell, row);
}

template <class Number>
Number Codec::other_integer(const Value& cell, std::size_t row) const {
    const auto number = integer_in(cell);
    if (!number) refuse(cell, sql::why_no_integer(real_in(cell)), row);
    if (!fits<Number>(*number)) refuse(cell, "is too large", row);
    return static_cast<Number>(*number);
}

template <class Number>
Number Codec::other_real(const Value& cell, std::size_t row) const {
    const auto number = real_in(cell);
    if (!number) refuse(cell, "is not a number", row);
    const auto real = static_cast<Number>(*number);
    if (std::isinf(real) && !std::isinf(*number)) refuse(cell, "is too large", row);
    return real;
}

/// `then` with what makes bits of a cell and its row, of a column of numbers; false of another one.
template <class Then>
bool Codec::as_numbers(Then then) const {
    switch (kind_) {
        case Kind::int2:
            then([this](const Value& cell, std::size_t row) {
                return static_cast<std::uint16_t>(integer_of<std::int16_t>(cell, row));
            });
            return true;
        case Kind::int4:
            then([this](const Value& cell, std::size_t row) {
                return static_cast<std::uint32_t>(integer_of<std::int32_t>(cell, row));
            });
            return true;
        case Kind::int8:
            then([this](const Value& cell, std::size_t row) {
                return static_cast<std::uint64_t>(integer_of<std::int64_t>(cell, row));
            });
            return true;
        case Kind::float4:
            then([this](const Value& cell, std::size_t row) {
                return std::bit_cast<std::uint32_t>(real_of<float>(cell, row));
            });
            return true;
        case Kind::float8:
            then([this](const Value& cell, std::size_t row) {
                return std::bit_cast<std::uint64_t>(real_of<double>(cell, row));
            });
            return true;
        default:
            return false;
    }
}

void Codec::append(std::string& out, const Value& cell, std::size_t row) const {
    if (cell.is_null()) return append_int4(out, null_length);
    if (as_numbers([&](auto bits) { append_sized(out, bits(cell, row)); })) return;
    if (kind_ == Kind::boolean) return append_boolean(out, cell, row);
    append_text(out, cell);
}

void Codec::append_column(std::string& out, std::span<const Value> cells, std::size_t width) const {
    const Column column{cells, width};
    if (as_numbers([&](auto bits) { append_numbers(out, column, bits); })) return;
    if (kind_ != Kind::boolean && append_texts(out, column)) return;
    for (std::size_t row = 0; row < column.size(); ++row) append(out, column[row], row);
}

void Codec::append_boolean(std::string& out, const Value& cell, std::size_t row) const {
    std::optional<bool> truth;
    if (cell.kind() == Value::Kind::text) {
        truth = parse_boolean(cell.text());
    } else if (const auto number = integer_in(cell); number && (*number == 0 || *number == 1)) {
        truth = *number == 1;
    }
    if (!truth) refuse(cell, "is neither true nor false", row);
    append_int4(out, 1);
    out += static_cast<char>(*truth ? 1 : 0);
}

void Codec::append_text(std::string& out, const Value& cell) {
    if (!has_bytes(cell)) return append_text(out, Value(std::string_view(to_text(cell))));
    append_int4(out, static_cast<std::int32_t>(cell.text().size()));
    out += cell.text();
}

void Codec::refuse(const Value& cell, std::string_view why, std::size_t row) const {
    throw ConversionError(fmt::format("\"{}\" {} for column {}.{} ({})", printable(to_text(cell)), why, table_,
                                      column_.name, column_.declared),
                          std::to_string(row));
}

}  // namespace fermata::postgres
