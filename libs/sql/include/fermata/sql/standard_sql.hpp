#pragma once
// For drivers: text in which the engines we know agree, and the checks of a BulkTarget that need no database.
#include <fermata/sql/sql.hpp>

#include <span>
#include <string>
#include <string_view>

namespace fermata::sql {

[[nodiscard]] std::string quote_text(std::string_view text);  ///< 'it''s'
[[nodiscard]] std::string quote_identifier(std::string_view identifier);
/// "schema.table" or "table", each part quoted.
[[nodiscard]] std::string quote_table(std::string_view table);
[[nodiscard]] std::string quoted_list(std::span<const std::string> names);
/// " ON CONFLICT (…) DO …" of an upsert; empty for a plain insert.
[[nodiscard]] std::string conflict_clause(const BulkTarget& target);

/// Throws Error(refused) naming database and table.
[[noreturn]] void refuse_target(std::string_view database, const BulkTarget& target, const std::string& why);
/// Refuses a target without columns, and an upsert without keys or with one that is no column of it.
void check_keys(std::string_view database, const BulkTarget& target);
/// Where the target's columns stand among those that the table has; none at all means that there is no such table.
/// Refuses, with the nearest name, what is not there.
[[nodiscard]] std::vector<std::size_t> places_of(Connection& connection, std::string_view database,
                                                 const BulkTarget& target, std::span<const std::string> present);

}  // namespace fermata::sql
