#pragma once
// command batchlet, pipe processor.
#include <fermata/batch/registry.hpp>

namespace fermata {

void add_command_artifacts(Registry& registry);

}  // namespace fermata
