#pragma once
// Values on the wire: what goes out binary, what comes in binary, and text for all the rest.
#include "handle.hpp"

#include <fermata/base/value.hpp>
#include <fermata/sql/sql.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <forward_list>
#include <limits>
#include <memory_resource>
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

[[nodiscard]] constexpr bool is_text(Oid type) noexcept {
    return type == type::text || type == type::varchar || type == type::bpchar || type == type::name;
}
[[nodiscard]] constexpr bool has_bytes(const Value& value) noexcept {
    return value.kind() == Value::Kind::text || value.kind() == Value::Kind::bytes;
}
/// Comes back binary; other types come back as text.
[[nodiscard]] bool is_native(Oid type) noexcept;

/// As SQLite, which takes 2.0 for an integer too; nothing for text and bytes.
[[nodiscard]] std::optional<std::int64_t> whole(const Value& value) noexcept;
template <class T>
[[nodiscard]] bool fits(std::int64_t value) noexcept {
    return value >= std::numeric_limits<T>::min() && value <= std::numeric_limits<T>::max();
}

/// Parameters of one statement as libpq wants them. Text and bytes are borrowed from the Values. Few parameters need no
/// memory of their own.
class Parameters {
public:
    /// REQUIRES: at most as many as `types`.
    Parameters(std::span<const Value> values, std::span<const Oid> types);
    Parameters(const Parameters&) = delete;
    Parameters& operator=(const Parameters&) = delete;
    ~Parameters() = default;
    [[nodiscard]] int count() const noexcept { return static_cast<int>(values_.size()); }
    [[nodiscard]] const char* const* values() const noexcept { return values_.data(); }
    [[nodiscard]] const int* lengths() const noexcept { return lengths_.data(); }
    [[nodiscard]] const int* formats() const noexcept { return formats_.data(); }

private:
    using Number = std::array<char, sizeof(std::uint64_t)>;  ///< in network order
    static constexpr std::size_t few = 32;

    void add(const Value& value, Oid wanted);
    void add_number(const Value& value, Oid wanted);
    [[nodiscard]] bool add_integer(std::int64_t value, Oid wanted);
    void add_text(std::string text, int format);
    template <class T>
    void add_wire(T value);
    void add_bytes(const char* bytes, std::size_t size, int format);

    std::array<std::byte, few * (sizeof(const char*) + (2 * sizeof(int)) + sizeof(Number))> space_;
    std::pmr::monotonic_buffer_resource memory_{space_.data(), space_.size()};
    std::pmr::vector<const char*> values_;
    std::pmr::vector<int> lengths_;
    std::pmr::vector<int> formats_;
    std::pmr::vector<Number> numbers_;
    std::forward_list<std::string> texts_;
    std::size_t at_ = 0;  ///< the one that is added
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
