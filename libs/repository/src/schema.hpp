#pragma once
// The repository's tables, indexes, constraints and views, as one text: the same for every engine except for what
// sql::Dialect says.
#include <fermata/sql/sql.hpp>

#include <string>
#include <vector>

namespace fermata {

/// Everything but the rows of schema_version and repository. To be executed in one transaction.
[[nodiscard]] std::string schema_sql(const sql::Dialect& dialect);
/// What it makes: "table job_execution", "trigger walk_final", …, as Dialect::objects names them.
[[nodiscard]] std::vector<std::string> schema_objects(const sql::Dialect& dialect);

}  // namespace fermata
