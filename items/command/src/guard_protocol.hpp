#pragma once
// What Fermata and a guard tell each other: fixed descriptors, one byte of order, one report.
#include <cstdint>

namespace fermata::guard {

// Descriptors of the guard beside 0, 1, 2, which are the command's own.
inline constexpr int control_fd = 3;  ///< orders from Fermata; its end means: kill everything
inline constexpr int report_fd = 4;   ///< one Report, when the command and all its descendants are gone
inline constexpr int owner_fd = 5;    ///< the owner file, open only to keep its lock

/// Order: TERM to the command's process group.
inline constexpr char terminate = 'T';

enum class Outcome : std::int32_t { exited, signalled, no_exec, no_folder, no_fork };
/// Written in one piece (far below PIPE_BUF).
struct Report {
    Outcome outcome = Outcome::exited;
    std::int32_t value = 0;  ///< exit code, signal number, or errno
};

}  // namespace fermata::guard
