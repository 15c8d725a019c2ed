#pragma once
// jsonlReader, jsonlWriter.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_jsonl_artifacts(Registry& registry);

}  // namespace fermata
