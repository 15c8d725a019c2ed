#include "terminal.hpp"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <string_view>

namespace fermata::cli {

namespace {

std::string_view variable(const char* name) {
    const char* value = std::getenv(name);
    return value == nullptr ? std::string_view{} : std::string_view(value);
}

bool locale_is_utf8() {
    for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        const auto value = variable(name);
        if (value.empty()) continue;
        return value.find("UTF-8") != std::string_view::npos || value.find("utf8") != std::string_view::npos ||
               value.find("UTF8") != std::string_view::npos;
    }
    return false;
}

bool color_for(int fd, std::string_view setting) {
    if (setting == "always") return true;
    if (setting == "never" || !variable("NO_COLOR").empty() || variable("TERM") == "dumb") return false;
    return is_terminal(fd);
}

}  // namespace

bool is_terminal(int fd) { return ::isatty(fd) == 1; }

WindowSize window_size(int fd) {
    winsize size{};
    if (::ioctl(fd, TIOCGWINSZ, &size) != 0 || size.ws_row == 0 || size.ws_col == 0) return {};
    return {.rows = size.ws_row, .columns = size.ws_col};
}

Style style_for(int fd, const Settings& settings, bool ascii) {
    return {.color = color_for(fd, settings.get("color").value), .ascii = ascii || !locale_is_utf8()};
}

}  // namespace fermata::cli
