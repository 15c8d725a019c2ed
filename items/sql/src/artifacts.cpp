#include "named_parameters.hpp"
#include "sql_batchlet.hpp"
#include "sql_mapper.hpp"
#include "sql_reader.hpp"
#include "sql_writer.hpp"

#include <fermata/items/sql.hpp>

namespace fermata {

void add_sql_artifacts(Registry& registry) {
    ArtifactEntry& reader = registry.reader<SqlReader>("sqlReader", SqlReader::info());
    reader.rules = SqlReader::rules();
    reader.parameters = names_in_sql;
    registry.writer<SqlWriter>("sqlWriter", SqlWriter::info()).rules = SqlWriter::rules();
    ArtifactEntry& batchlet = registry.batchlet<SqlBatchlet>("sql", SqlBatchlet::info());
    batchlet.rules = SqlBatchlet::rules();
    batchlet.parameters = names_in_sql;
    registry.mapper<SqlMapper>("sqlMapper", SqlMapper::info()).rules = SqlMapper::rules();
    // For retry lists: somebody else held the database's lock too long, the connection was lost.
    registry.exception<sql::SqlError>("fermata.SqlError", "fermata.Error");
}

}  // namespace fermata
