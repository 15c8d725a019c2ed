#pragma once
// PostgreSQL's SQLSTATEs as Fermata's errors.
#include "handle.hpp"

#include <fermata/sql/sql.hpp>

#include <chrono>
#include <string>
#include <string_view>

namespace fermata::postgres {

/// Where a statement failed, for the message.
struct Site {
    std::string_view database;  ///< as people know it
    std::string_view sql{};     ///< the statement, if one is to blame
    std::string_view row{};     ///< ConstraintError::position()
};

[[nodiscard]] std::string_view sqlstate(const PGresult* result) noexcept;
[[nodiscard]] std::string_view message(const PGresult* result) noexcept;
/// A constraint or a trigger is to blame: class 23, or what a trigger raises.
[[nodiscard]] bool refuses_row(std::string_view state) noexcept;
/// The value is to blame, not the statement: class 22.
[[nodiscard]] bool refuses_value(std::string_view state) noexcept;
/// The session ended with this, whatever libpq knows by now.
[[nodiscard]] bool ends_session(std::string_view state) noexcept;

/// Throws ConstraintError or SqlError for a failed `result`.
[[noreturn]] void throw_error(const PGresult* result, const Site& site);
/// What to do about a session that was not opened, by libpq's words: there is no code.
[[nodiscard]] std::string_view remedy_of_connecting(std::string_view words) noexcept;
/// `error` is the last of all tries within `bound`.
[[nodiscard]] sql::SqlError out_of_reach(const sql::SqlError& error, std::chrono::milliseconds bound);
[[nodiscard]] sql::SqlError lost(std::string_view database, const std::string& words);

}  // namespace fermata::postgres
