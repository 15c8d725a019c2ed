#pragma once
// A step's row of step_progress, all of it, as its owner saves it.
#include "rows.hpp"

#include <fermata/repository/repository.hpp>

namespace fermata {

/// Saves and fences: changes one row, or it is another owner's. A death or an intent belongs to the place it happened
/// at, so it is forgotten as soon as the step gets beyond. Borrows from the arguments.
[[nodiscard]] sql::Command save_place(const StepClaim& claim, const Progress& next, Timestamp now);

/// The same of a chunk. The same owner's commit may come twice: what was sent when a connection was lost can reach the
/// server after the chunk was done again. So it fences by its place too. A chunk without items may have been left out.
[[nodiscard]] sql::Command save_chunk(const StepClaim& claim, const Progress& next, Timestamp now);

}  // namespace fermata
