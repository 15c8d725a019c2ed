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
    std::optional<StepRest> rest;  ///< it has not ended: the caller calls rest_step instead
};

/// How a step is entered, and the pauses whose signals it gets.
struct StepStart {
    StepEntryMode mode = StepEntryMode::start;
    SignalSource signals;
    std::optional<StepEntry> entered = {};  ///< it has been, in that way
};

/// Throws only Error(stale), when another owner holds the execution; every other failure is in the result.
[[nodiscard]] StepResult run_step(const RunnableStep& step, const StepStart& start, JobScope& job,
                                  JobContext& job_context);

}  // namespace fermata
