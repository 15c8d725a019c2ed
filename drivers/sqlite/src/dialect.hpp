#pragma once
#include <fermata/sql/sql.hpp>

namespace fermata::sqlite {

[[nodiscard]] const sql::Dialect& dialect() noexcept;

}  // namespace fermata::sqlite
