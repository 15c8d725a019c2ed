#pragma once
// Lines of the append-only journal (table event), written inside the transaction they tell of.
#include <fermata/model/records.hpp>
#include <fermata/repository/facts.hpp>
#include <fermata/sql/sql.hpp>

#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace fermata {

/// Verbs without an actor of their own are the runtime's.
inline constexpr std::string_view runtime_actor = "runtime";

/// Borrows from `event`.
[[nodiscard]] sql::Command journal(const Event& event);
/// One to three of them, in this order.
[[nodiscard]] sql::Command journal(std::span<const Event> events);

/// Facts with "`name`":0, before that 0 and behind it: for a statement that puts a number of its own there.
[[nodiscard]] std::pair<std::string, std::string> around_number(std::string_view name, const std::string& facts);

}  // namespace fermata
