#pragma once
// What tables there are, as the session's search path sees them.
#include "handle.hpp"

#include <fermata/sql/sql.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fermata::postgres {

class Connection;

[[nodiscard]] std::vector<sql::Column> columns_of(sql::Connection& connection, std::string_view table);
/// Throws Error(forbidden) if the first schema of the search path may not be used: the server would pass over it, and
/// over all that is in it.
void refuse_closed_schema(sql::Connection& connection, std::string_view database);
[[nodiscard]] std::vector<std::string> tables_of(sql::Connection& connection);

/// A column as a bulk write needs to know it.
struct TargetColumn {
    std::string name;
    Oid type = 0;            ///< of a domain, what it is made of
    std::string cast;        ///< the type by a name that takes no length: "pg_catalog"."date"
    std::string declared;    ///< for messages
    bool generated = false;  ///< GENERATED ALWAYS: COPY would write it all the same
};
struct Target {
    std::vector<TargetColumn> columns;
    bool copyable = false;  ///< a plain table without row security
};
/// Empty columns if there is no such table.
[[nodiscard]] Target target_of(sql::Connection& connection, std::string_view table);

/// Whether a unique index of the table is over exactly these columns, in any order, so that ON CONFLICT finds it.
[[nodiscard]] bool is_unique_key(sql::Connection& connection, std::string_view table, std::vector<std::string> columns);

}  // namespace fermata::postgres
