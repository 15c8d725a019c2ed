#include <fermata/base/text.hpp>
#include <fermata/items/file/range_start.hpp>

#include <fmt/format.h>

namespace fermata {

RangeStart RangeStart::of(const Properties& properties) {
    const auto text = properties.find<std::string>("start");
    if (!text) return {};
    const std::size_t slash = text->find('/');
    const auto offset = parse_int64(std::string_view(*text).substr(0, slash));
    const auto size =
        slash == std::string::npos ? std::nullopt : parse_int64(std::string_view(*text).substr(slash + 1));
    if (!offset || *offset < 0 || (slash != std::string::npos && (!size || *size < 0)))
        throw properties.wrong("start",
                               fmt::format("\"{}\" is neither a byte offset nor OFFSET/SIZE", printable(*text)));
    return {*offset, size};
}

std::string RangeStart::text() const {
    return file_size ? fmt::format("{}/{}", offset, *file_size) : std::to_string(offset);
}

}  // namespace fermata
