#pragma once
// csvReader, csvWriter.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_csv_artifacts(Registry& registry);

}  // namespace fermata
