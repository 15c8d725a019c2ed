#pragma once
#include <fermata/sql/sql.hpp>

namespace fermata::postgres {

[[nodiscard]] const sql::Dialect& dialect() noexcept;

}  // namespace fermata::postgres
