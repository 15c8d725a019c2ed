#include "encoding.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

namespace fermata::csv {
namespace {

struct Name {
    std::string_view name;
    Encoding encoding;
};
constexpr std::array names{Name{"utf-8", Encoding::utf8}, Name{"iso-8859-1", Encoding::iso_8859_1},
                           Name{"windows-1252", Encoding::windows_1252}};

/// 0x80 to 0x9F; the five it leaves undefined are control characters, as in browsers.
constexpr std::array<char16_t, 32> windows_1252_high{0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021,
                                                     0x02C6, 0x2030, 0x0160, 0x2039, 0x0152, 0x008D, 0x017D, 0x008F,
                                                     0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022, 0x2013, 0x2014,
                                                     0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};

char16_t code_point(unsigned char byte, Encoding encoding) {
    const bool special = encoding == Encoding::windows_1252 && byte >= 0x80 && byte < 0xA0;
    return special ? windows_1252_high[byte - 0x80U] : byte;
}

}  // namespace

Encoding encoding_of(const Properties& properties) {
    auto text = properties.get<std::string>("encoding", "utf-8");
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    for (const Name& known : names)
        if (known.name == text) return known.encoding;
    throw properties.wrong(
        "encoding", fmt::format("\"{}\" is not supported; utf-8, iso-8859-1 and windows-1252 are", printable(text)),
        "convert the file first, for example with iconv");
}

char* to_utf8(std::string_view text, Encoding encoding, char* to) {
    for (const char c : text) {
        const unsigned point = code_point(static_cast<unsigned char>(c), encoding);
        if (point < 0x80) {
            *to++ = c;
        } else if (point < 0x800) {
            *to++ = static_cast<char>(0xC0 | (point >> 6));
            *to++ = static_cast<char>(0x80 | (point & 0x3F));
        } else {
            *to++ = static_cast<char>(0xE0 | (point >> 12));
            *to++ = static_cast<char>(0x80 | ((point >> 6) & 0x3F));
            *to++ = static_cast<char>(0x80 | (point & 0x3F));
        }
    }
    return to;
}

std::size_t first_invalid(std::string_view text) {
    std::size_t valid = 0;
    while (valid < text.size()) {
        std::size_t length = 1;
        while (length <= 4 && valid + length <= text.size() && !is_utf8(text.substr(valid, length))) ++length;
        if (length > 4 || valid + length > text.size()) break;
        valid += length;
    }
    return valid;
}

}  // namespace fermata::csv
