#pragma once
// As much of SQL's grammar as the driver must know about a statement before the server has seen it.
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fermata::postgres {

struct SqlText {
    explicit SqlText(std::string_view sql);

    enum class Verb : unsigned char {
        select,  ///< also VALUES and TABLE
        change,  ///< INSERT, UPDATE, DELETE
        with,    ///< WITH …: may be either
        other,   ///< DDL, SET, EXPLAIN, …: cannot be prepared before what stands before it has run
    };
    Verb verb = Verb::other;
    bool returning = false;
    std::size_t parameters = 0;  ///< the highest n of $n
    std::string_view body;       ///< without white space and semicolons at its ends
};

/// `sql` so that the server itself refuses it, by an error that count_in_refusal() reads, unless it answers or changes
/// as many rows as parameter n + 1 says. One statement, so that a COMMIT may follow it unseen. Nothing if `sql` is of
/// another kind than SELECT, INSERT, UPDATE or DELETE.
[[nodiscard]] std::optional<std::string> fenced(std::string_view sql);
/// As Dialect::required: a condition that refuses in the same way, as if there had been no row.
[[nodiscard]] std::string required(std::string_view condition, std::string_view column);
/// The number of rows there were, if `message` is the refusal of such a statement.
[[nodiscard]] std::optional<std::int64_t> count_in_refusal(std::string_view message);

}  // namespace fermata::postgres
