#pragma once
// Job XML in UTF-8, whatever it was read in: UTF-8, US-ASCII, ISO-8859-1 or UTF-16, with or without a byte order mark.
#include <optional>
#include <string>
#include <string_view>

namespace fermata::jobxml {

struct Utf8Text {
    struct Problem {
        std::size_t offset;  ///< in the bytes as they were given
        std::string message;
    };
    std::string text;  ///< without a byte order mark
    std::optional<Problem> problem;
};

[[nodiscard]] Utf8Text to_utf8(std::string_view bytes);

}  // namespace fermata::jobxml
