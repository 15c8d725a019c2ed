#pragma once
// Text of others in a command line that is printed to be pasted.
#include <string>
#include <string_view>

namespace fermata::cli {

/// `text` as one word of a shell's line: as it is where that is safe, else quoted; control characters and what is no
/// UTF-8 as $'\033', which bash, zsh and ksh read.
[[nodiscard]] std::string shell_word(std::string_view text);

}  // namespace fermata::cli
