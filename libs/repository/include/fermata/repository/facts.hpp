#pragma once
// What an event of the journal says, as names and values; Event::data is their JSON.
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fermata {

using Fact = std::variant<std::monostate, std::int64_t, bool, std::string_view>;
/// A JSON object; facts that are nothing are left out. Bytes that are no UTF-8 become U+FFFD.
[[nodiscard]] std::string facts(std::initializer_list<std::pair<std::string_view, Fact>> pairs);
[[nodiscard]] inline Fact fact(const std::optional<std::string>& text) {
    return text ? Fact(std::string_view(*text)) : Fact();
}

}  // namespace fermata
