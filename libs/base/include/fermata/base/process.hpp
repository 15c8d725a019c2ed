#pragma once
// Facts about processes of this host, as evidence about owners.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

namespace fermata {

/// A process, told from a later one that got the same pid.
struct ProcessIdentity {
    std::int64_t pid = 0;
    std::int64_t start_ticks = 0;  ///< field 22 of /proc/PID/stat
    auto operator<=>(const ProcessIdentity&) const = default;
};
[[nodiscard]] ProcessIdentity this_process();  ///< throws Error(refused) where /proc is not that of this process
/// Nothing if no such process runs.
[[nodiscard]] std::optional<ProcessIdentity> process_of(std::int64_t pid);
[[nodiscard]] std::string host_name();
[[nodiscard]] std::string boot_id();    ///< /proc/sys/kernel/random/boot_id
[[nodiscard]] std::string user_name();  ///< of the effective uid; its number if it has no name
[[nodiscard]] std::filesystem::path this_executable();

}  // namespace fermata
