#include "sql_batchlet.hpp"
#include "sql_mapper.hpp"
#include "sql_reader.hpp"
#include "sql_writer.hpp"

#include <fermata/items/sql.hpp>

namespace fermata {

void add_sql_artifacts(Registry& registry) {
    registry.reader<SqlReader>("sqlReader", SqlReader::info()).check = SqlReader::check;
    registry.writer<SqlWriter>("sqlWriter", SqlWriter::info()).check = SqlWriter::check;
    registry.batchlet<SqlBatchlet>("sql", SqlBatchlet::info()).check = SqlBatchlet::check;
    registry.mapper<SqlMapper>("sqlMapper", SqlMapper::info()).check = SqlMapper::check;
    // For retry lists: somebody else held the database's lock too long, the connection was lost.
    registry.exception<sql::SqlError>("fermata.SqlError", "fermata.Error");
}

}  // namespace fermata
