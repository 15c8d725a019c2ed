#include "errors.hpp"

#include <fermata/base/no_permission.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <cerrno>
#include <cstring>

namespace fermata::sqlite {

using sql::SqlError;

namespace {

/// A right is missing, unless the file was moved or removed meanwhile.
bool is_forbidden(int code, int error_number) noexcept {
    const int primary = code & 0xff;
    if (primary == SQLITE_CANTOPEN) return is_no_permission(error_number);
    return primary == SQLITE_PERM || (primary == SQLITE_READONLY && code != SQLITE_READONLY_DBMOVED);
}

bool is_no_space(int error_number) noexcept { return error_number == ENOSPC || error_number == EDQUOT; }

SqlError::Kind kind_of(int code, int error_number) noexcept {
    switch (code & 0xff) {
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
        case SQLITE_PROTOCOL:
            return SqlError::Kind::busy;
        case SQLITE_FULL:
            return SqlError::Kind::full;
        case SQLITE_READONLY:
            return SqlError::Kind::read_only;
        case SQLITE_CORRUPT:
        case SQLITE_NOTADB:
            return SqlError::Kind::corrupt;
        case SQLITE_CANTOPEN:
            return SqlError::Kind::unreachable;
        case SQLITE_ERROR:
        case SQLITE_SCHEMA:
            return SqlError::Kind::syntax;
        // Some writes (the WAL's index) report a full disk as an I/O error.
        case SQLITE_IOERR:
            return is_no_space(error_number) ? SqlError::Kind::full : SqlError::Kind::other;
        default:
            return SqlError::Kind::other;
    }
}

std::string remedy_of(SqlError::Kind kind) {
    switch (kind) {
        case SqlError::Kind::busy:
            return "another program is writing to it; end that and try again";
        case SqlError::Kind::full:
            return "free space on its file system";
        case SqlError::Kind::read_only:
            return "open it again: the file was moved or removed meanwhile";
        case SqlError::Kind::corrupt:
            return "name another file, or restore a backup";
        case SqlError::Kind::unreachable:
            return "the file and its folder must exist";
        default:
            return {};
    }
}

/// The row is to blame, not the program or the machine. A mismatch is text for an INTEGER PRIMARY KEY.
bool refuses_row(int code) noexcept { return (code & 0xff) == SQLITE_CONSTRAINT || (code & 0xff) == SQLITE_MISMATCH; }

}  // namespace

void throw_error(int code, const Site& site) {
    const int error_number = site.db != nullptr ? sqlite3_system_errno(site.db) : 0;
    const SqlError::Kind kind = kind_of(code, error_number);
    std::string message = fmt::format("{}: {}", site.file,
                                      site.db != nullptr ? sqlite3_errmsg(site.db)  //
                                                         : sqlite3_errstr(code));
    if (!site.hint.empty()) message += fmt::format(" ({})", site.hint);
    if (refuses_row(code)) throw ConstraintError(message, std::string(site.row));
    if ((code & 0xff) == SQLITE_IOERR && error_number != 0)
        message += fmt::format(" ({})", std::strerror(error_number));
    if (is_forbidden(code, error_number)) throw_forbidden(message);
    if (kind == SqlError::Kind::syntax && !site.sql.empty()) message += fmt::format(" in: {}", printable(site.sql));
    throw SqlError(kind, message, remedy_of(kind));
}

void throw_forbidden(const std::string& message, std::string remedy) {
    if (remedy.empty()) remedy = "the file and its folder must be readable and writable for you";
    throw Error(ErrorKind::forbidden, message, std::move(remedy));
}

void throw_system_error(int error_number, const std::string& action, std::string remedy) {
    const std::string message = fmt::format("{}: {}", action, std::strerror(error_number));
    if (is_no_permission(error_number)) throw_forbidden(message, std::move(remedy));
    const bool no_space = is_no_space(error_number);
    throw SqlError(no_space ? SqlError::Kind::full : SqlError::Kind::unreachable, message, std::move(remedy));
}

}  // namespace fermata::sqlite
