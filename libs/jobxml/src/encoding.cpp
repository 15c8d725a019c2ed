#include "encoding.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>
#include <iconv.h>

#include <algorithm>
#include <memory>
#include <type_traits>

namespace fermata::jobxml {
namespace {

constexpr std::string_view utf8_mark = "\xEF\xBB\xBF";

struct Encoding {
    std::string_view name;  ///< as iconv knows it; empty: not one of ours
    std::size_t mark = 0;   ///< bytes of the byte order mark
};

std::string upper(std::string_view text) {
    std::string result(text);
    std::ranges::transform(result, result.begin(), [](char c) { return c >= 'a' && c <= 'z' ? char(c - 32) : c; });
    return result;
}

/// The value of encoding="…" in the XML declaration; empty if there is none.
std::string_view declared(std::string_view bytes) {
    if (!bytes.starts_with("<?xml")) return {};
    const auto declaration = bytes.substr(0, bytes.find("?>"));
    const auto word = declaration.find("encoding");
    if (word == std::string_view::npos) return {};
    const auto begin = declaration.find_first_of("\"'", word);
    if (begin == std::string_view::npos) return {};
    const auto end = declaration.find(declaration[begin], begin + 1);
    return end == std::string_view::npos ? std::string_view{} : declaration.substr(begin + 1, end - begin - 1);
}

Encoding encoding_of(std::string_view bytes) {
    using namespace std::string_view_literals;
    if (bytes.starts_with(utf8_mark)) return {"UTF-8", utf8_mark.size()};
    if (bytes.starts_with("\xFF\xFE"sv)) return {"UTF-16LE", 2};
    if (bytes.starts_with("\xFE\xFF"sv)) return {"UTF-16BE", 2};
    if (bytes.starts_with("<\0"sv)) return {"UTF-16LE"};
    if (bytes.starts_with("\0<"sv)) return {"UTF-16BE"};
    const auto name = upper(declared(bytes));
    // Only encodings with plain ASCII tags, and never a name straight out of the document into iconv.
    for (const auto known : {"UTF-8"sv, "US-ASCII"sv, "ISO-8859-1"sv}) {
        if (name == known) return {known};
    }
    return {name.empty() ? "UTF-8"sv : ""sv};
}

Utf8Text convert(std::string_view bytes, Encoding encoding) {
    const std::unique_ptr<std::remove_pointer_t<iconv_t>, int (*)(iconv_t)> converter(
        iconv_open("UTF-8", std::string(encoding.name).c_str()), iconv_close);
    Utf8Text result;
    result.text.resize(bytes.size() * 2);  // enough: UTF-16 grows from 2 bytes to 3, ISO-8859-1 from 1 to 2
    char* in = const_cast<char*>(bytes.data()) + encoding.mark;
    std::size_t in_left = bytes.size() - encoding.mark;
    char* out = result.text.data();
    std::size_t out_left = result.text.size();
    const bool done = iconv(converter.get(), &in, &in_left, &out, &out_left) != static_cast<std::size_t>(-1);
    result.text.resize(result.text.size() - out_left);
    if (!done) result.problem = {bytes.size() - in_left, fmt::format("these bytes are not {}", encoding.name)};
    return result;
}

}  // namespace

Utf8Text to_utf8(std::string_view bytes) {
    const Encoding encoding = encoding_of(bytes);
    if (!encoding.name.empty()) return convert(bytes, encoding);
    return {{},
            Utf8Text::Problem{0, fmt::format("the encoding \"{}\" is not supported or not the one of these bytes; save "
                                             "the file as UTF-8",
                                             printable(declared(bytes), 40))}};
}

}  // namespace fermata::jobxml
