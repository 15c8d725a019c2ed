#include "command_batchlet.hpp"
#include "command_decider.hpp"
#include "pipe_processor.hpp"

#include <fermata/items/command.hpp>

namespace fermata {

void add_command_artifacts(Registry& registry) {
    registry.batchlet<CommandBatchlet>("command", CommandBatchlet::info()).check = CommandBatchlet::check;
    registry.decider<CommandDecider>("command", CommandDecider::info()).check = CommandBatchlet::check;
    registry.processor<PipeProcessor>("pipe", PipeProcessor::info()).check = PipeProcessor::check;
}

}  // namespace fermata
