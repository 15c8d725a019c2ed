#pragma once
// SQLite behind the sql port: one file a database. See drivers/sqlite/README.md for what it does to the file.
#include <fermata/sql/sql.hpp>

#include <chrono>
#include <functional>
#include <string>

namespace fermata::sqlite {

struct Settings {
    /// How long begin() waits its turn at the file before it throws SqlError(busy) naming who holds it.
    std::chrono::milliseconds turn_bound = std::chrono::minutes(1);
    /// After this long a wait is reported once through `notice`.
    std::chrono::milliseconds notice_after = std::chrono::seconds(5);
    /// How long SQLite itself waits for a program that does not use the turnstile (sqlite3, a backup tool).
    std::chrono::milliseconds busy_timeout = std::chrono::seconds(10);
    /// One line for people; any thread that opened a connection. Default: standard error.
    std::function<void(const std::string&)> notice;
};

}  // namespace fermata::sqlite

namespace fermata {

/// "sqlite:PATH" and bare paths.
void add_sqlite_driver(sql::Drivers& drivers, sqlite::Settings settings = {});

}  // namespace fermata
