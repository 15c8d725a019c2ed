#pragma once
// The statuses an option takes, as they are typed.
#include "options.hpp"

namespace fermata::cli {

/// Any status; what `list` shows of an execution without its process is none.
inline Option& takes_any_status(Option& option) {
    return option
        .statuses(
            {"starting", "started", "stopping", "stopped", "pausing", "paused", "failed", "completed", "abandoned"})
        .advise("owner lost", "fermata list --lost finds those");
}

}  // namespace fermata::cli
