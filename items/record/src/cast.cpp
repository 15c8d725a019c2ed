#include "cast.hpp"

#include <fermata/base/text.hpp>

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>

namespace fermata::record {
namespace {

struct Name {
    std::string_view name;
    Cast cast;
};
constexpr std::array names{Name{"text", Cast::text}, Name{"integer", Cast::integer}, Name{"real", Cast::real},
                           Name{"boolean", Cast::boolean}};

std::optional<Value> value_if(const auto& number) {
    return number ? std::optional<Value>(Value(*number)) : std::nullopt;
}

std::optional<Value> to_integer(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::integer:
            return value;
        case Value::Kind::boolean:
            return Value(value.boolean() ? 1 : 0);
        case Value::Kind::real: {
            constexpr double limit = 9223372036854775808.0;  // 2^63
            const double real = value.real();
            const bool whole = std::trunc(real) == real && real >= -limit && real < limit;
            return whole ? std::optional<Value>(Value(static_cast<std::int64_t>(real))) : std::nullopt;
        }
        case Value::Kind::text:
            return value_if(parse_int64(trim(value.text())));
        default:
            return std::nullopt;
    }
}

std::optional<Value> to_real(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::real:
            return value;
        case Value::Kind::integer:
            return Value(static_cast<double>(value.integer()));
        case Value::Kind::text:
            return value_if(parse_double(trim(value.text())));
        default:
            return std::nullopt;
    }
}

bool is_word(std::string_view text, std::string_view word) {
    return std::ranges::equal(text, word,
                              [](unsigned char a, char b) { return static_cast<char>(std::tolower(a)) == b; });
}

std::optional<Value> to_boolean(const Value& value) {
    if (value.kind() == Value::Kind::boolean) return value;
    const bool is_text = value.kind() == Value::Kind::text;
    const std::string text = is_text ? std::string(trim(value.text())) : to_text(value);
    if (text == "1" || is_word(text, "true")) return Value(true);
    if (text == "0" || is_word(text, "false")) return Value(false);
    return std::nullopt;
}

std::optional<Value> to_text_value(const Value& value, Arena& arena) {
    if (value.kind() == Value::Kind::text) return value;
    if (value.kind() == Value::Kind::bytes) return std::nullopt;
    return Value(arena.copy(to_text(value)));
}

}  // namespace

std::optional<Cast> parse_cast(std::string_view name) {
    for (const Name& known : names)
        if (known.name == name) return known.cast;
    return std::nullopt;
}

std::string_view to_string(Cast cast) {
    for (const Name& known : names)
        if (known.cast == cast) return known.name;
    return "value";
}

std::optional<Value> converted(const Value& value, Cast cast, Arena& arena) {
    if (value.is_null()) return value;
    switch (cast) {
        case Cast::none:
            return value;
        case Cast::text:
            return to_text_value(value, arena);
        case Cast::integer:
            return to_integer(value);
        case Cast::real:
            return to_real(value);
        case Cast::boolean:
            return to_boolean(value);
    }
    return std::nullopt;
}

}  // namespace fermata::record
