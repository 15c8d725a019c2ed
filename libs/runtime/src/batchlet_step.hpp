#pragma once
// Runs a batchlet (Jakarta Batch §9.1.2, §11.5): process() on this thread, stop() on another while it runs.
#include "assemble.hpp"
#include "outcome.hpp"
#include "step_scope.hpp"

namespace fermata {

/// STOPPED if a stop was asked for before process() returned, whatever it returned; its value becomes the exit status
/// unless the context has one already. Throws what process() threw.
[[nodiscard]] StepOutcome run_batchlet(const RunnableBatchlet& runnable, StepScope& scope);

}  // namespace fermata
