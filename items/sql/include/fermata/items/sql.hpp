#pragma once
// sqlReader, sqlWriter, sql batchlet.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_sql_artifacts(Registry& registry);

}  // namespace fermata
