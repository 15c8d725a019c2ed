#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/input_file.hpp>

#include <fmt/format.h>

#include <optional>

namespace fermata {
namespace {

/// The value of `name=` at the front of `text`, taken off it.
std::optional<std::string_view> take(std::string_view& text, std::string_view name) {
    if (!text.starts_with(name)) return std::nullopt;
    text.remove_prefix(name.size());
    const std::string_view value = text.substr(0, text.find(' '));
    text.remove_prefix(std::min(text.size(), value.size() + 1));
    return value;
}

std::optional<std::int64_t> take_number(std::string_view& text, std::string_view name) {
    const auto value = take(text, name);
    return value ? parse_int64(*value) : std::nullopt;
}

std::optional<FilePosition> parse(std::string_view text) {
    const auto offset = take_number(text, "offset=");
    const auto line = take_number(text, "line=");
    const auto size = take_number(text, "size=");
    const auto modified = take_number(text, "modified=");
    const auto hash = take(text, "hash=");
    if (!offset || !line || !size || !modified || !hash || !text.empty()) return std::nullopt;
    const auto before = PrefixHash::from_text(*hash);
    if (!before || *offset < 0 || *line < 1) return std::nullopt;
    return FilePosition{.offset = *offset, .line = *line, .size = *size, .modified = *modified, .before = *before};
}

}  // namespace

Checkpoint FilePosition::to_checkpoint() const {
    return Checkpoint(
        fmt::format("offset={} line={} size={} modified={} hash={}", offset, line, size, modified, before.to_text()));
}

FilePosition FilePosition::of(const Checkpoint& checkpoint) {
    if (auto position = parse(checkpoint.bytes())) return *position;
    throw Error(ErrorKind::refused,
                fmt::format("checkpoint unreadable: \"{}\" is not the position of a file reader",
                            printable(checkpoint.bytes())),
                "was the step's reader changed? start a new instance");
}

}  // namespace fermata
