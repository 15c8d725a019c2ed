#pragma once
// PostgreSQL (13 or newer) behind the sql port, over libpq. See drivers/postgres/README.md for what it does to the
// server.
#include <fermata/sql/sql.hpp>

#include <chrono>
#include <cstddef>
#include <string>

namespace fermata::postgres {

/// What every session of ours gets. An operator overrides the first four in the URL: options=-c%20lock_timeout%3D60s
struct Settings {
    /// A statement that waits longer for somebody's lock fails with SqlError(busy).
    std::chrono::milliseconds lock_timeout = std::chrono::seconds(10);
    /// The server ends a session that leaves its transaction open without a word for this long: a stopped process must
    /// not hold its locks for ever.
    std::chrono::milliseconds idle_in_transaction = std::chrono::minutes(1);
    /// No bound by default: one statement may rightly take an hour.
    std::chrono::milliseconds statement_timeout{0};
    /// How often the server looks, during a long statement, whether we are still there (PostgreSQL 14 and newer).
    std::chrono::milliseconds connection_check = std::chrono::seconds(1);
    /// Bound of connect, as connect_timeout of the URL; at least 2 s.
    std::chrono::seconds connect_timeout{10};
    /// What was sent and is not acknowledged by the other host within this is a lost connection.
    std::chrono::milliseconds unacknowledged = std::chrono::seconds(20);
    /// How long a connection that was lost waits for a server that starts again.
    std::chrono::milliseconds reconnect_bound = std::chrono::seconds(30);
    /// From this many rows on a bulk write is one binary COPY, below one INSERT of binary arrays.
    std::size_t copy_from_rows = 1'500;
    int oldest_version = 130'000;  ///< as libpq numbers them
};

/// `url` begins with postgresql:// or postgres://. Does not connect. Throws Error(usage).
[[nodiscard]] std::unique_ptr<sql::Database> open_database(const std::string& url, Settings settings = {});

}  // namespace fermata::postgres

namespace fermata {

/// "postgresql://…" and "postgres://…".
void add_postgres_driver(sql::Drivers& drivers, postgres::Settings settings = {});

}  // namespace fermata
