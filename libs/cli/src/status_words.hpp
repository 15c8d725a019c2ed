#pragma once
// The statuses an option takes, as they are typed.
#include <string>
#include <vector>

namespace fermata::cli {

[[nodiscard]] inline std::vector<std::string> all_statuses() {
    return {"starting", "started", "stopping", "stopped", "pausing", "paused", "failed", "completed", "abandoned"};
}

}  // namespace fermata::cli
