#pragma once
// The repository's tables, indexes, constraints and views, as one text: the same for every engine except for what
// sql::Dialect says.
#include <fermata/sql/sql.hpp>

#include <string>

namespace fermata {

/// Everything but the rows of schema_version and repository. To be executed in one transaction.
[[nodiscard]] std::string schema_sql(const sql::Dialect& dialect);

}  // namespace fermata
