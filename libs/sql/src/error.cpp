#include <fermata/sql/sql.hpp>

namespace fermata::sql {

namespace {

ErrorKind exit_kind(SqlError::Kind kind) noexcept {
    switch (kind) {
        case SqlError::Kind::unreachable:
        case SqlError::Kind::lost:
            return ErrorKind::unreachable;
        case SqlError::Kind::corrupt:
        case SqlError::Kind::read_only:
            return ErrorKind::refused;
        default:
            return ErrorKind::failed;
    }
}

}  // namespace

SqlError::SqlError(Kind kind, const std::string& message, std::string remedy)
    : Error(exit_kind(kind), message, std::move(remedy)), sql_kind_(kind) {}

}  // namespace fermata::sql
