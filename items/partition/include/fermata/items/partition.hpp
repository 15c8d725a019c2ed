#pragma once
// Mappers that divide a step by files, by a list, or by byte ranges of one file: filesMapper, listMapper, csvMapper,
// jsonlMapper.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_partition_artifacts(Registry& registry);

}  // namespace fermata
