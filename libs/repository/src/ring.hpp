#pragma once
// What rings every Bell of the repository's database, also of other repositories there.
#include "store.hpp"

#include <fermata/base/text.hpp>
#include <fermata/repository/workers.hpp>
#include <fermata/sql/notices.hpp>

#include <fmt/format.h>

namespace fermata {

inline constexpr std::string_view request_channel = "fermata_request";
inline constexpr std::string_view work_channel = "fermata_work";
inline constexpr std::string_view end_channel = "fermata_end";

/// Something was asked of an execution. Heard when `write` is committed; does nothing where nobody can hear.
inline void ring(StoreWrite& write) {
    if (sql::Notices* notices = sql::notices_of(*write)) notices->say(request_channel);
}
/// Something waits for a worker.
inline void ring_workers(StoreWrite& write) {
    if (sql::Notices* notices = sql::notices_of(*write)) notices->say(work_channel);
}
/// An execution ended, or came to rest.
inline void ring_end(StoreWrite& write) {
    if (sql::Notices* notices = sql::notices_of(*write)) notices->say(end_channel);
}

/// As ring(), ring_workers() or ring_end(), with the last statements of `write`.
inline void append_ring(std::vector<sql::Command>& last, StoreWrite& write, std::string_view channel) {
    if (sql::notices_of(*write) != nullptr) last.push_back({"SELECT pg_notify($1, '')", {Value(channel)}});
}

/// Rings the workers with an Offer, as ", expression" for a last statement to answer behind other columns, in one row.
[[nodiscard]] inline std::string offer_column(StoreWrite& write, std::string_view id, std::string_view hash) {
    if (sql::notices_of(*write) == nullptr) return {};
    return fmt::format(", pg_notify('{}', {} || ' ' || {})", work_channel, id, hash);
}
/// What offer_column() says; nothing in other words.
[[nodiscard]] inline std::optional<Offer> offer_in(std::string_view words) {
    const std::size_t space = words.find(' ');
    const auto id = parse_int64(words.substr(0, space));
    if (space == std::string_view::npos || !id) return std::nullopt;
    return Offer{JobExecutionId(*id), std::string(words.substr(space + 1))};
}

}  // namespace fermata
