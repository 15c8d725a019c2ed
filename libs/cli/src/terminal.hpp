#pragma once
// What the terminal can do, from the environment and the descriptors.
#include <optional>

#include "output.hpp"
#include "settings.hpp"

namespace fermata::cli {

struct WindowSize {
    int rows = 24;
    int columns = 80;
};

/// NO_COLOR, TERM=dumb and a setting may each forbid colour; not UTF-8 in the locale means ASCII.
[[nodiscard]] Style style_for(int fd, const Settings& settings, bool ascii);
[[nodiscard]] bool is_terminal(int fd);
[[nodiscard]] WindowSize window_size(int fd);

}  // namespace fermata::cli
