#pragma once
// Named instants for the kill rig. FERMATA_POINT("chunk.before-commit") costs one relaxed load of a flag; with
// FERMATA_POINT=name[:n] in the environment the process kills itself (SIGKILL) at the n-th arrival (default first).
// With FERMATA_POINT_SIGNAL=STOP all of it stops there instead (SIGSTOP), until somebody sends SIGCONT.
// FERMATA_POINT_LOG=file appends every name reached, so that a rig can enumerate them.
#include <atomic>

namespace fermata::point {
extern const bool armed;
void reached(const char* name) noexcept;
}  // namespace fermata::point

#define FERMATA_POINT(name)                       \
    do {                                          \
        if (::fermata::point::armed) [[unlikely]] \
            ::fermata::point::reached(name);      \
    } while (false)
