#include "shell_word.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

bool is_bare(char c) {
    constexpr std::string_view others = "@%+=:,./-_";
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           others.find(c) != std::string_view::npos;
}

std::string quoted(std::string_view text) {
    std::string word = "'";
    for (const char c : text) word += c == '\'' ? std::string(R"('\'')") : std::string(1, c);
    return word + "'";
}

/// All but plain ASCII by number: what may look like anything looks like nothing else.
std::string numbered(std::string_view text) {
    std::string word = "$'";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '\'' || c == '\\')
            word += {'\\', c};
        else
            word += byte < 0x20 || byte >= 0x7F ? fmt::format("\\{:03o}", byte) : std::string(1, c);
    }
    return word + "'";
}

}  // namespace

std::string shell_word(std::string_view text) {
    if (!text.empty() && std::ranges::all_of(text, is_bare)) return std::string(text);
    return printable(text, text.size()) == text ? quoted(text) : numbered(text);
}

}  // namespace fermata::cli
