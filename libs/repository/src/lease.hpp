#pragma once
// Leases as SQL: only where sessions of several hosts meet, so in that engine's words.
#include "store.hpp"

#include <fermata/repository/worker.hpp>

namespace fermata {

inline constexpr std::string_view database_now = "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)";
/// A server that has just been started has kept everybody from renewing.
inline constexpr std::string_view server_started =
    "CAST(EXTRACT(EPOCH FROM pg_postmaster_start_time()) * 1000000 AS BIGINT)";

/// Declares those dead whose lease has run out, unless the server was started a short while ago, and ends their
/// sessions. One query, if there is none. Nobody, if the lease of the worker `finder` has run out as well: it knows
/// only that it was away, or that the database's clock was set.
void declare_dead(Store& store, std::int64_t finder = 0);
/// Ends the sessions of a worker that was declared dead, or can be: it may be stopped in the middle of a transaction,
/// which would keep others waiting, and reads as a lost connection when it goes on. Returns when they are gone, or
/// after two seconds.
void end_sessions(sql::Connection& connection, std::int64_t worker);

}  // namespace fermata
