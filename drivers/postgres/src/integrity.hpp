#pragma once
#include <fermata/sql/sql.hpp>

#include <string>
#include <vector>

namespace fermata::postgres {

/// What can be seen of damage from a session, one line each: rows that cannot be read, B-trees out of order (if the
/// extension amcheck is there), and rules that are switched off.
[[nodiscard]] std::vector<std::string> check_integrity(sql::Connection& connection);

}  // namespace fermata::postgres
