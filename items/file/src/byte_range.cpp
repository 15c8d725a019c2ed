#include <fermata/base/text.hpp>
#include <fermata/items/file/byte_range.hpp>
#include <fermata/items/file/input_file.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata {
namespace {

ByteRange from_start(const Properties& properties) {
    const auto text = properties.find<std::string>("start");
    if (!text) return {};
    const std::size_t slash = text->find('/');
    const auto offset = parse_int64(std::string_view(*text).substr(0, slash));
    const auto size =
        slash == std::string::npos ? std::nullopt : parse_int64(std::string_view(*text).substr(slash + 1));
    if (!offset || *offset < 0 || (slash != std::string::npos && (!size || *size < 0)))
        throw properties.wrong("start",
                               fmt::format("\"{}\" is neither a byte offset nor OFFSET/SIZE", printable(*text)));
    return {.start = *offset, .file_size = size};
}

}  // namespace

std::vector<PropertyRule> ByteRange::rules() { return {from_start, reads_as<std::int64_t>("end"), of}; }

ByteRange ByteRange::of(const Properties& properties) {
    ByteRange range = from_start(properties);
    range.end = properties.get<std::int64_t>("end", range.end);
    if (range.end < range.start)
        throw properties.wrong("end", fmt::format("{} is less than start, {}", range.end, range.start));
    return range;
}

std::string ByteRange::start_text() const {
    return file_size ? fmt::format("{}/{}", start, *file_size) : std::to_string(start);
}

void ByteRange::apply_to(InputFile& file, bool accept_change) const {
    if (accept_change && start == 0 && !has_end()) file.accept_change();
    if (file_size) file.was_divided_at(*file_size);
}

void ByteRange::skip_to_start(InputFile& file) const {
    if (start <= file.offset()) return;
    file.skip_to(start - 1);
    file.skip_line();
}

double ByteRange::fraction_of(const InputFile& file) const noexcept {
    if (!has_end()) return file.fraction();
    const auto done = static_cast<double>(std::max(file.offset() - start, std::int64_t{0}));
    return std::min(1.0, done / static_cast<double>(std::max(end - start, std::int64_t{1})));
}

}  // namespace fermata
