#pragma once
// map and filter processors, rangeReader, discardWriter, rejectFile.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_record_artifacts(Registry& registry);

}  // namespace fermata
