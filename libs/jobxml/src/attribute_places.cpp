#include "attribute_places.hpp"

#include <algorithm>
#include <charconv>

namespace fermata::jobxml {
namespace {

constexpr std::string_view space = " \t\r\n";

std::size_t utf8_length(unsigned long code) { return code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4; }

/// How many bytes of the value the reference `&…;` stands for. Entities other than the five of XML do not occur.
std::size_t length_of_reference(std::string_view reference) {
    if (!reference.starts_with("&#")) return 1;
    const bool hex = reference.starts_with("&#x");
    unsigned long code = 0;
    std::from_chars(reference.data() + (hex ? 3 : 2), reference.data() + reference.size(), code, hex ? 16 : 10);
    return utf8_length(code);
}

std::vector<std::pair<std::size_t, std::size_t>> folds_of(std::string_view text, std::size_t begin, std::size_t end) {
    std::vector<std::pair<std::size_t, std::size_t>> folds;
    std::size_t in_value = 0;
    for (std::size_t at = begin; at < end;) {
        const auto rest = text.substr(at, end - at);
        const bool is_reference = rest.front() == '&';
        const bool is_crlf = rest.starts_with("\r\n");
        at += is_reference ? rest.find(';') + 1 : is_crlf ? 2 : 1;
        in_value += is_reference ? length_of_reference(rest) : 1;
        if (is_reference || is_crlf) folds.emplace_back(in_value, at);
    }
    return folds;
}

bool declares_namespace(std::string_view name) { return name == "xmlns" || name.starts_with("xmlns:"); }

}  // namespace

std::size_t AttributePlace::in_text(std::size_t offset) const {
    const auto next = std::ranges::upper_bound(folds, offset, {}, &std::pair<std::size_t, std::size_t>::first);
    if (next == folds.begin()) return value + offset;
    const auto& [value_offset, text_offset] = *(next - 1);
    return text_offset + (offset - value_offset);
}

std::vector<AttributePlace> attribute_places(std::string_view text, std::size_t tag) {
    std::vector<AttributePlace> places;
    std::size_t at = text.find_first_of(" \t\r\n/>", tag);
    for (;;) {
        at = text.find_first_not_of(space, at);
        if (text[at] == '/' || text[at] == '>') return places;
        const std::size_t name = at;
        const std::size_t name_end = text.find_first_of(" \t\r\n=", name);
        const std::size_t quote = text.find_first_of("\"'", name_end);
        const std::size_t end = text.find(text[quote], quote + 1);
        if (!declares_namespace(text.substr(name, name_end - name))) {
            places.push_back({name, quote + 1, folds_of(text, quote + 1, end)});
        }
        at = end + 1;
    }
}

}  // namespace fermata::jobxml
