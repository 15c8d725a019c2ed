#include "command_batchlet.hpp"

#include <fermata/items/command.hpp>

namespace fermata {

void add_command_artifacts(Registry& registry) {
    registry.batchlet<CommandBatchlet>("command", CommandBatchlet::info()).check = CommandBatchlet::check;
}

}  // namespace fermata
