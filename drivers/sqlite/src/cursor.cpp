#include "cursor.hpp"

#include "connection.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::sqlite {

Cursor::Cursor(Connection& connection, const std::string& sql, const sql::Params& params)
    : statement_(connection.handle(), connection.name(), sql, false) {
    if (!statement_.reads_only())
        throw sql::SqlError(sql::SqlError::Kind::other,
                            fmt::format("{}: a query must not write: {}", connection.name(), printable(sql)),
                            "execute statements that write");
    statement_.bind(params, Statement::Text::copied);
    columns_ = statement_.columns();
    connection.count_statement();
}

bool Cursor::next() {
    if (ended_) return false;
    if (statement_.step()) {
        statement_.read_row(row_);
        return true;
    }
    // A statement left at its end would keep the read transaction open, and start anew when stepped again.
    statement_.reset();
    row_.clear();
    ended_ = true;
    return false;
}

}  // namespace fermata::sqlite
