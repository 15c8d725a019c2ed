#pragma once
// One step execution from its entry to its recorded end: contexts, listeners, the work, afterStep.
#include "assemble.hpp"
#include "outcome.hpp"
#include "step_scope.hpp"

namespace fermata {

/// What a step came to, not yet recorded: the caller adds where the walk goes and calls end_step.
struct StepResult {
    StepClaim claim;
    StepEnd end;
};

/// Throws only Error(stale), when another owner holds the execution; every other failure is in the result.
[[nodiscard]] StepResult run_step(const RunnableStep& step, StepEntryMode mode, JobScope& job, JobContext& job_context);

}  // namespace fermata
