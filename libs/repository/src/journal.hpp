#pragma once
// Lines of the append-only journal (table event), written inside the transaction they tell of.
#include <fermata/model/records.hpp>
#include <fermata/sql/sql.hpp>

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

namespace fermata {

/// Verbs without an actor of their own are the runtime's.
inline constexpr std::string_view runtime_actor = "runtime";

using Fact = std::variant<std::monostate, std::int64_t, bool, std::string_view>;
/// A JSON object; facts that are nothing are left out.
[[nodiscard]] std::string facts(std::initializer_list<std::pair<std::string_view, Fact>> pairs);
[[nodiscard]] inline Fact fact(const std::optional<std::string>& text) {
    return text ? Fact(std::string_view(*text)) : Fact();
}

/// Borrows from `event`.
[[nodiscard]] sql::Command journal(const Event& event);

}  // namespace fermata
