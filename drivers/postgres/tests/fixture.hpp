#pragma once
#include <fermata/drivers/postgres.hpp>
#include <fermata/testing/postgres_cluster.hpp>
#include <fermata/testing/proxy.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <thread>
#include <vector>

namespace fermata::postgres {

using sql::Command;
using sql::OpenMode;
using sql::SqlError;
using sql::Transaction;
using testing::thrown_by;
using namespace std::chrono_literals;

class PostgresTest : public ::testing::Test {
protected:
    std::unique_ptr<sql::Connection> connect(OpenMode mode = OpenMode::read_write, const Settings& settings = {}) {
        return open_database(place_.url(), settings)->connect(mode);
    }
    /// By way of the proxy.
    std::unique_ptr<sql::Connection> connect_through(const testing::Proxy& proxy, const Settings& settings = {}) {
        return open_database(proxy.url(place_.name()), settings)->connect(OpenMode::read_write);
    }
    /// number(id primary key, n), one row: 1, 0
    void create_number() {
        connect()->execute_script(
            "CREATE TABLE number (id bigint PRIMARY KEY, n bigint); INSERT INTO number VALUES (1, 0)");
    }
    std::int64_t number() { return connect()->execute("SELECT n FROM number WHERE id = 1")[0][0].integer(); }
    static std::int64_t pid_of(sql::Connection& connection) {
        return connection.execute("SELECT pg_backend_pid()")[0][0].integer();
    }
    /// Ends the session; returns when it is gone.
    void terminate(std::int64_t pid) {
        const auto other = connect();
        other->execute("SELECT pg_terminate_backend($1, 10000)", {pid});
    }
    /// Waits until the server says that session `pid` waits for a lock.
    void await_blocked(std::int64_t pid) {
        const auto other = connect();
        const auto end = std::chrono::steady_clock::now() + 30s;
        while (other->execute("SELECT cardinality(pg_blocking_pids($1))", {pid})[0][0].integer() == 0) {
            ASSERT_LT(std::chrono::steady_clock::now(), end) << "nobody waits";
            std::this_thread::sleep_for(1ms);
        }
    }

    testing::PostgresDatabase place_;
};

/// Round trips of `work` on `connection`.
template <class Work>
std::int64_t round_trips(sql::Connection& connection, Work&& work) {
    const std::int64_t before = connection.round_trip_count();
    work();
    return connection.round_trip_count() - before;
}

}  // namespace fermata::postgres
