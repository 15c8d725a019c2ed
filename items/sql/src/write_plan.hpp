#pragma once
// Which columns of a record go into which columns of a table; decided once for each shape of record.
#include <fermata/batch/record.hpp>
#include <fermata/sql/sql.hpp>

#include <string>
#include <vector>

namespace fermata {

/// What the job says about the table.
struct TableRules {
    std::string table;
    bool upsert = false;
    bool create = false;
    std::vector<std::string> keys;     ///< upsert: empty = the table's primary key
    std::vector<std::string> columns;  ///< empty = all of the record
};

struct WritePlan {
    sql::BulkTarget target;
    std::vector<std::size_t> sources;  ///< by target column: the record's column
};

/// Creates the table first if the rules say so and it is missing. Names match exactly, else without regard to case.
/// Throws Error(refused) naming table and column: no such table, a record column the table lacks, a listed column the
/// record lacks, a key that is not written, a column that must have a value and gets none.
[[nodiscard]] WritePlan plan_write(sql::Connection& connection, const TableRules& rules, const Columns& record);

}  // namespace fermata
