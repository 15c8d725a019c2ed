#pragma once
// Cells of one column as elements of a binary array or fields of a binary COPY: both are a length and the bytes.
#include "catalog.hpp"
#include "types.hpp"

#include <span>
#include <string>
#include <string_view>

namespace fermata::postgres {

class Codec {
public:
    Codec(std::string table, TargetColumn column);

    /// Appends `cell`. Throws ConversionError with `row` as its position, if it cannot be one of this column.
    void append(std::string& out, const Value& cell, std::size_t row) const;
    /// A whole column at once: every `width`th of `cells`. Throws for the first of them that cannot be one; `out` is of
    /// no use then.
    void append_column(std::string& out, std::span<const Value> cells, std::size_t width) const;

    /// What goes over the wire is of the column's very type: COPY can take it.
    [[nodiscard]] bool is_exact() const noexcept { return kind_ != Kind::cast; }
    [[nodiscard]] Oid element() const noexcept;
    [[nodiscard]] Oid array() const noexcept;
    /// `expression` of type element() as a value of the column.
    [[nodiscard]] std::string converted(const std::string& expression) const;

private:
    enum class Kind : std::uint8_t { int2, int4, int8, float4, float8, boolean, text, bytes, cast };
    [[nodiscard]] static Kind kind_of(Oid type) noexcept;
    template <class Then>
    bool as_numbers(Then then) const;
    template <class Number>
    [[nodiscard]] Number integer_of(const Value& cell, std::size_t row) const;
    template <class Number>
    [[nodiscard]] Number real_of(const Value& cell, std::size_t row) const;
    template <class Number>
    [[nodiscard]] Number other_integer(const Value& cell, std::size_t row) const;
    template <class Number>
    [[nodiscard]] Number other_real(const Value& cell, std::size_t row) const;
    void append_boolean(std::string& out, const Value& cell, std::size_t row) const;
    static void append_text(std::string& out, const Value& cell);
    [[noreturn]] void refuse(const Value& cell, std::string_view why, std::size_t row) const;

    std::string table_;
    TargetColumn column_;
    Kind kind_;
};

}  // namespace fermata::postgres
