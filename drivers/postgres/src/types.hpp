#pragma once
// Values on the wire: what goes out binary, what comes in binary, and text for all the rest.
#include "handle.hpp"

#include <fermata/base/value.hpp>
#include <fermata/sql/sql.hpp>

#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fermata::postgres {

/// Object ids of PostgreSQL's own types never change (src/include/catalog/pg_type.dat).
namespace type {
constexpr Oid boolean = 16, bytes = 17, name = 19, int8 = 20, int2 = 21, int4 = 23, text = 25, float4 = 700,
              float8 = 701, bpchar = 1042, varchar = 1043;
constexpr Oid boolean_array = 1000, bytes_array = 1001, int2_array = 1005, int4_array = 1007, text_array = 1009,
              int8_array = 1016, float4_array = 1021, float8_array = 1022;
}  // namespace type

[[nodiscard]] bool is_text(Oid type) noexcept;
/// Comes back binary; other types come back as text.
[[nodiscard]] bool is_native(Oid type) noexcept;

/// As SQLite, which takes 2.0 for an integer too; nothing for text and bytes.
[[nodiscard]] std::optional<std::int64_t> whole(const Value& value) noexcept;
template <class T>
[[nodiscard]] bool fits(std::int64_t value) noexcept {
    return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

/// Parameters of one statement as libpq wants them. Text and bytes are borrowed from the Values.
class Parameters {
public:
    /// REQUIRES: at most as many as `types`.
    Parameters(std::span<const Value> values, std::span<const Oid> types);
    [[nodiscard]] int count() const noexcept { return static_cast<int>(values_.size()); }
    [[nodiscard]] const char* const* values() const noexcept { return values_.data(); }
    [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
    [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }

private:
    void add(const Value& value, Oid wanted);
    void add_number(const Value& value, Oid wanted);
    void add_binary(std::string_view bytes);
    void add_owned(std::string bytes, int format);

    std::vector<const char*> values_;
    std::vector<int> lengths_;
    std::vector<int> formats_;
    std::deque<std::string> owned_;
};

/// Rows of one result.
class Rows {
public:
    /// `result` must outlive this.
    explicit Rows(const PGresult* result);
    [[nodiscard]] int size() const noexcept { return PQntuples(result_); }
    /// Valid until the next call; text and bytes as long as the result, except bytes that came as text.
    [[nodiscard]] std::span<const Value> operator[](int row);
    [[nodiscard]] std::vector<std::string> columns() const;

private:
    [[nodiscard]] Value cell(int row, int column);

    const PGresult* result_;
    bool binary_;
    std::vector<Value> cells_;
    std::vector<Handle<unsigned char>> unescaped_;
};

}  // namespace fermata::postgres
