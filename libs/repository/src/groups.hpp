#pragma once
// Many rows changed by one statement, on a server: what each statement costs it to begin is most of what a small change
// costs. Of two sizes, so that the texts are few and stay prepared.
#include "store.hpp"

#include <fmt/format.h>

#include <array>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fermata {

inline constexpr std::array<std::size_t, 2> group_sizes{16, 4};

/// A server's statement may hold others; a file has nothing to gain from that.
[[nodiscard]] inline bool takes_groups(const sql::Dialect& dialect) { return !dialect.for_update.empty(); }

/// Calls `one(item)` or `some(group of items)` for all of `items` in their order; for a file only `one`.
template <class Item, class One, class Some>
void in_groups(const sql::Dialect& dialect, std::span<Item> items, One&& one, Some&& some) {
    for (const std::size_t size : group_sizes) {
        while (takes_groups(dialect) && items.size() >= size) {
            some(items.first(size));
            items = items.subspan(size);
        }
    }
    for (Item& item : items) one(item);
}

/// The texts of one statement for each size.
class GroupTexts {
public:
    explicit GroupTexts(const std::function<std::string(std::size_t)>& make) {
        for (const std::size_t size : group_sizes) texts_.emplace(size, make(size));
    }
    [[nodiscard]] const std::string& of(std::size_t size) const { return texts_.at(size); }

private:
    std::map<std::size_t, std::string> texts_;
};

struct ValuesColumn {
    std::string name;
    std::string type;
};

/// To be sent before such statements in their transaction: from a table that is small as yet, a server reads all rows
/// for one group, and goes on so when the table has grown. With this there is one plan, so it is made once, not five
/// times.
[[nodiscard]] inline sql::Command look_up_each_row() {
    return {
        "SELECT set_config('enable_seqscan', 'off', true), set_config('enable_hashjoin', 'off', true), "
        "set_config('enable_mergejoin', 'off', true), set_config('plan_cache_mode', 'force_generic_plan', true)",
        {}};
}

/// "(VALUES (CAST($4 AS BIGINT), …), ($6, …)) v (name, …)": so many rows, their parameters behind `before` others. The
/// whole key of what is changed belongs into it: of a part a server without statistics reads all that has that part.
[[nodiscard]] inline std::string values(std::size_t rows, std::span<const ValuesColumn> columns, std::size_t before) {
    std::string names;
    std::string text;
    for (std::size_t row = 0, number = before; row < rows; ++row) {
        text += row == 0 ? "(VALUES (" : "), (";
        for (std::size_t i = 0; i < columns.size(); ++i) {
            const std::string_view comma = i == 0 ? "" : ", ";
            ++number;
            text += row == 0 ? fmt::format("{}CAST(${} AS {})", comma, number, columns[i].type)
                             : fmt::format("{}${}", comma, number);
            if (row == 0) names += fmt::format("{}{}", comma, columns[i].name);
        }
    }
    return fmt::format("{})) v ({})", text, names);
}

}  // namespace fermata
