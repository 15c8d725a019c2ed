#pragma once
// What others wrote for others: Output::note() is for people.
#include <string_view>

namespace fermata::cli {

/// One line to stderr, byte for byte, whatever it would do to a terminal.
void write_raw_line(std::string_view line);

}  // namespace fermata::cli
