#pragma once
#include <fermata/sql/sql.hpp>

namespace fermata::postgres {

/// Over pg_stat_activity: what tells a session from all others of its server.
inline constexpr const char* session_name = "format('pid %s since %s', pid, EXTRACT(EPOCH FROM backend_start))";

[[nodiscard]] const sql::Dialect& dialect() noexcept;

}  // namespace fermata::postgres
