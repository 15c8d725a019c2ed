#pragma once
// A Value for people: in messages and in descriptions of items.
#include <fermata/base/value.hpp>

#include <string>

namespace fermata {

/// "null", "true", "12", "0.5", the text itself, "(7 bytes)". Text is as it is: printable() makes it safe to show.
[[nodiscard]] std::string to_text(const Value& value);

}  // namespace fermata
