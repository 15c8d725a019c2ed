#pragma once
// SQLite's result codes as Fermata's errors.
#include <fermata/sql/sql.hpp>

#include <sqlite3.h>

#include <string>
#include <string_view>

namespace fermata::sqlite {

/// Where a call failed, for the message.
struct Site {
    sqlite3* db;              ///< holds the error
    std::string_view file;    ///< the database, as people know it
    std::string_view sql{};   ///< the statement, if one is to blame
    std::string_view row{};   ///< ConstraintError::position()
    std::string_view hint{};  ///< what the message is to say besides, "vendors.id = 17"
};

/// Throws ConstraintError, SqlError or, for a missing right, Error(forbidden) for `code`, an extended result code other
/// than OK, ROW and DONE.
[[noreturn]] void throw_error(int code, const Site& site);
[[noreturn]] void throw_forbidden(const std::string& message, std::string remedy = {});
/// A failed system call on a file that belongs to a database: SqlError, or Error(forbidden).
[[noreturn]] void throw_system_error(int error_number, const std::string& action, std::string remedy = {});

inline void check(int code, const Site& site) {
    if (code != SQLITE_OK && code != SQLITE_ROW && code != SQLITE_DONE) [[unlikely]]
        throw_error(code, site);
}

}  // namespace fermata::sqlite
