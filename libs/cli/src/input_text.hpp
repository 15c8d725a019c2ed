#pragma once
// The file an option names, or what comes on stdin.
#include <cstddef>
#include <string>

namespace fermata::cli {

/// All of `file`, "-" is stdin. `option` is what names it in errors. Throws Error(not_found), Error(invalid) if it is
/// longer than `limit` bytes, IoError.
[[nodiscard]] std::string input_text(const std::string& option, const std::string& file, std::size_t limit);

}  // namespace fermata::cli
