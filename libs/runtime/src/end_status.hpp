#pragma once
// What a step or partition that ends is called.
#include "outcome.hpp"

#include <fermata/batch/context.hpp>

namespace fermata {

/// What its artifacts said, else its status; of one that was cut short what they said after it was asked to stop.
[[nodiscard]] inline std::string exit_status_of(const StepContext& context, const StepOutcome& outcome) {
    const bool cut = std::holds_alternative<Cut>(outcome);
    if (context.exit_status && (!cut || context.exit_status.set_after_stop())) return *context.exit_status;
    return cut ? "STEP_STOPPED" : std::string(to_string(status_of(outcome)));
}

/// What it asked for that takes effect after it: of one that was cut short only what was to come after its end.
[[nodiscard]] inline const StepPause* pause_after(const StepContext& context, const StepOutcome& outcome) {
    if (!context.pause_asked) return nullptr;
    const bool comes = std::holds_alternative<Cut>(outcome) ? context.pause_asked->after : is_complete(outcome);
    return comes ? &*context.pause_asked : nullptr;
}

}  // namespace fermata
