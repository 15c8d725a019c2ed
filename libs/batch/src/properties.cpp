#include <fermata/batch/properties.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <concepts>
#include <limits>
#include <utility>

namespace fermata {
namespace {

template <std::integral Integer>
std::optional<Integer> parse_integer(const std::string& text) {
    const auto number = parse_int64(text);
    return number && std::in_range<Integer>(*number) ? std::optional(static_cast<Integer>(*number)) : std::nullopt;
}

template <std::integral Integer>
std::string range_of() {
    return fmt::format("a whole number from {} to {}", std::numeric_limits<Integer>::min(),
                       std::numeric_limits<Integer>::max());
}

std::optional<bool> parse_bool(const std::string& text) {
    if (text == "true") return true;
    if (text == "false") return false;
    return std::nullopt;
}

}  // namespace

const ResolvedProperty* Properties::lookup(std::string_view name) const {
    // Of equal names the last counts, as in a map that is filled in document order.
    const auto found = std::find_if(values_.rbegin(), values_.rend(), [&](const auto& p) { return p.name == name; });
    return found == values_.rend() ? nullptr : &*found;
}

bool Properties::has(std::string_view name) const { return lookup(name) != nullptr; }

Error Properties::wrong(std::string_view name, const std::string& what, std::string remedy) const {
    const ResolvedProperty* property = lookup(name);
    const Diagnostic diagnostic{.file = file_,
                                .at = property == nullptr ? Position{} : property->at,
                                .message = fmt::format("{}: property \"{}\": {}", owner_, name, what)};
    // Without a place it is no line of a compiler's.
    return Error(ErrorKind::invalid, file_.empty() ? diagnostic.message : to_string(diagnostic), std::move(remedy));
}

void Properties::missing(std::string_view name) const {
    throw MissingProperty(ErrorKind::invalid, wrong(name, "required, but not given").what(),
                          fmt::format(R"(add <property name="{}" value="..."/>)", name));
}

template <>
std::optional<std::string> Properties::find<std::string>(std::string_view name) const {
    const ResolvedProperty* property = lookup(name);
    return property == nullptr ? std::nullopt : std::optional(property->value.str());
}

template <>
std::optional<Text> Properties::find<Text>(std::string_view name) const {
    const ResolvedProperty* property = lookup(name);
    return property == nullptr ? std::nullopt : std::optional(property->value);
}

template <class T, class Parse>
std::optional<T> Properties::parsed(std::string_view name, Parse parse, std::string_view expected) const {
    const auto text = find<std::string>(name);
    if (!text) return std::nullopt;
    if (std::optional<T> value = parse(*text)) return value;
    throw wrong(name, fmt::format("\"{}\" is not {}", printable(*text), expected));
}

template <>
std::optional<bool> Properties::find<bool>(std::string_view name) const {
    return parsed<bool>(name, parse_bool, "true or false");
}

template <>
std::optional<std::int64_t> Properties::find<std::int64_t>(std::string_view name) const {
    return parsed<std::int64_t>(name, parse_integer<std::int64_t>, range_of<std::int64_t>());
}

template <>
std::optional<int> Properties::find<int>(std::string_view name) const {
    return parsed<int>(name, parse_integer<int>, range_of<int>());
}

template <>
std::optional<double> Properties::find<double>(std::string_view name) const {
    return parsed<double>(name, parse_double, "a number");
}

template <>
std::optional<Duration> Properties::find<Duration>(std::string_view name) const {
    return parsed<Duration>(name, parse_duration, "a duration like 90s, 15m or 1h30m");
}

}  // namespace fermata
