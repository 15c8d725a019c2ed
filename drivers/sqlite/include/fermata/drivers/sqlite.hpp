#pragma once
// SQLite behind the sql port: one file a database.
#include <fermata/sql/sql.hpp>

namespace fermata {

/// "sqlite:PATH" and bare paths.
void add_sqlite_driver(sql::Drivers& drivers);

}  // namespace fermata
