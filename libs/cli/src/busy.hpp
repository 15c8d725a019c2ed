#pragma once
// What keeps an execution that is STOPPING or PAUSING from its rest.
#include <string>
#include <string_view>
#include <vector>

#include "execution_view.hpp"

namespace fermata::cli {

struct Busy {
    std::string_view kind;  ///< "step", "partition"
    std::string name;       ///< "import", "import[3]"
    Timestamp running;      ///< since
    Timestamp waited_for;   ///< since: it was asked to stop or to rest, or began later
};
/// Of a partitioned step its partitions that run; itself, where none does. Nothing for any other status.
[[nodiscard]] std::vector<Busy> still_busy(const ExecutionView& view);
/// "step import runs since 13:22:01; partition slices[3] runs since …"; nothing where nothing is busy.
[[nodiscard]] std::string busy_text(const ExecutionView& view);
/// Whether still_busy() has to know the partitions.
[[nodiscard]] bool is_coming_to_rest(const JobExecution& execution);

}  // namespace fermata::cli
