#include <fermata/base/value_text.hpp>

#include <fmt/format.h>

namespace fermata {

std::string to_text(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::null:
            return "null";
        case Value::Kind::boolean:
            return value.boolean() ? "true" : "false";
        case Value::Kind::integer:
            return fmt::format("{}", value.integer());
        case Value::Kind::real:
            return fmt::format("{}", value.real());
        case Value::Kind::text:
            return std::string(value.text());
        case Value::Kind::bytes:
            return fmt::format("({} bytes)", value.bytes().size());
    }
    return {};
}

}  // namespace fermata
