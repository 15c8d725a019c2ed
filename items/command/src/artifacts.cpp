#include "command_batchlet.hpp"
#include "command_decider.hpp"
#include "pipe_processor.hpp"

#include <fermata/items/command.hpp>

namespace fermata {

void add_command_artifacts(Registry& registry) {
    registry.batchlet<CommandBatchlet>("command", CommandBatchlet::info()).rules = CommandBatchlet::rules();
    registry.decider<CommandDecider>("command", CommandDecider::info()).rules = CommandBatchlet::rules();
    registry.exception<ChildTimeout>("fermata.ChildTimeout", "fermata.ChildError");
    registry.processor<PipeProcessor>("pipe", PipeProcessor::info()).rules = PipeProcessor::rules();
}

}  // namespace fermata
