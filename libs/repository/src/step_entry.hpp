#pragma once
// Entering a step inside the caller's transaction, which holds the execution's row for its owner.
#include "store.hpp"

#include <fermata/repository/repository.hpp>

namespace fermata {

/// Throws Error(conflict) if the step is not what `mode` goes on from.
[[nodiscard]] StepEntry enter_step_of(StoreWrite& write, const Claim& claim, const std::string& step,
                                      StepEntryMode mode, const SignalSource& signals);
/// For the journal.
[[nodiscard]] Event entered_event(const StepEntry& entry, StepEntryMode mode, Timestamp now);

}  // namespace fermata
