#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/batch/checkpoint.hpp>

#include <fmt/format.h>

namespace fermata {

std::int64_t Checkpoint::integer() const {
    const std::string text = bytes_.value_or("");
    if (const auto number = parse_int64(text)) return *number;
    throw Error(ErrorKind::refused, fmt::format("checkpoint unreadable: \"{}\" is not a position", printable(text)),
                "it was saved by another artifact or another version of this one; restart with that one");
}

}  // namespace fermata
