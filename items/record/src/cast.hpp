#pragma once
#include <fermata/base/value_text.hpp>
#include "map_processor.hpp"

namespace fermata::record {

[[nodiscard]] std::optional<Cast> parse_cast(std::string_view name);
[[nodiscard]] std::string_view to_string(Cast cast);
/// Nothing if `value` is not one of that type. Null stays null.
[[nodiscard]] std::optional<Value> converted(const Value& value, Cast cast, Arena& arena);

}  // namespace fermata::record
