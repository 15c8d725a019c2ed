#include "sql_writer.hpp"

#include <fermata/items/sql.hpp>

namespace fermata {

void add_sql_artifacts(Registry& registry) {
    registry.writer<SqlWriter>("sqlWriter", SqlWriter::info()).check = SqlWriter::check;
}

}  // namespace fermata
