#include "dialect.hpp"

#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>

namespace fermata::sqlite {

namespace {

// ROLLBACK, not ABORT, which would undo the statement alone: for that SQLite keeps a copy of each page a statement
// changes, at every statement that a guard looks at. Whoever meets a guard rolls back anyway.
std::string guard(std::string_view name, std::string_view event, std::string_view table, std::string_view condition,
                  std::string_view message) {
    return fmt::format(
        "CREATE TRIGGER {} BEFORE {} ON {} FOR EACH ROW WHEN {} BEGIN SELECT RAISE(ROLLBACK, {}); END;\n", name, event,
        table, condition, sql::quote_text(message));
}

std::string as_timestamp(std::string_view expression) {
    return fmt::format(
        "(strftime('%Y-%m-%d %H:%M:%S', ({0}) / 1000000, 'unixepoch') || printf('.%06d', ({0}) % 1000000))",
        expression);
}

std::string bytes_as_text(std::string_view expression) { return fmt::format("CAST({} AS TEXT)", expression); }

// AUTOINCREMENT, one page more to write: an id is never given twice, not even after a purge of the newest rows.
constexpr sql::Dialect the_dialect{.engine = "sqlite",
                                   .auto_id = "INTEGER PRIMARY KEY AUTOINCREMENT",
                                   .next_id = "INTEGER PRIMARY KEY",
                                   .key = "INTEGER",
                                   .bytes = "BLOB",
                                   .guard = guard,
                                   .as_timestamp = as_timestamp,
                                   .for_update = "",
                                   .concurrent_writers = false,
                                   .bytes_as_text = bytes_as_text,
                                   .objects = "SELECT type || ' ' || lower(name) FROM sqlite_schema"};

}  // namespace

const sql::Dialect& dialect() noexcept { return the_dialect; }

}  // namespace fermata::sqlite
