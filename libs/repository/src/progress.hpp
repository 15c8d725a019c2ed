#pragma once
// The columns of step_progress that hold a Progress, always written and read together.
#include "rows.hpp"

#include <string>

namespace fermata {

/// "generation, sequence, read, …": twenty columns, in the order of the functions below.
extern const std::string_view progress_columns;
inline constexpr int progress_width = 20;
/// "generation = $1, sequence = $2, …"
[[nodiscard]] const std::string& progress_assignments();
/// The same without the generation: "sequence = $2, …"
[[nodiscard]] const std::string& later_assignments();
void append_progress(sql::Params& params, const Progress& progress);
[[nodiscard]] Progress read_progress(RowReader& row);

}  // namespace fermata
