#pragma once
// Connections of one kind to one database, each lent to one verb at a time. Where a write transaction excludes others
// there is one, and verbs queue for it; where writers run beside each other, nobody waits here.
#include <fermata/sql/sql.hpp>

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace fermata {

class ConnectionPool {
public:
    /// Gives its connection back at the end. REQUIRES: no transaction is open then.
    class Lease {
    public:
        Lease(Lease&& other) noexcept : pool_(other.pool_), connection_(std::move(other.connection_)) {}
        ~Lease() {
            if (connection_) pool_->take_back(std::move(connection_));
        }
        sql::Connection& operator*() const noexcept { return *connection_; }

    private:
        friend class ConnectionPool;
        Lease(ConnectionPool& pool, std::unique_ptr<sql::Connection> connection)
            : pool_(&pool), connection_(std::move(connection)) {}
        ConnectionPool* pool_;
        std::unique_ptr<sql::Connection> connection_;
    };

    ConnectionPool(sql::Database& database, sql::OpenMode mode)
        : database_(database), mode_(mode), several_(database.dialect().concurrent_writers) {}

    /// Waits for the connection if there can be only one; throws Error(failed) where this thread has it already. Opens
    /// one if none is free: throws what Database::connect throws.
    [[nodiscard]] Lease lend();
    /// The connection if there can be only one, is open already and free now.
    [[nodiscard]] std::optional<Lease> lend_idle();
    /// A connection opened before.
    void add(std::unique_ptr<sql::Connection> connection) {
        connection->close_lightly();
        free_.push_back(std::move(connection));
    }
    /// Of all connections that were lent here; waits until none is.
    [[nodiscard]] std::int64_t statement_count();

private:
    void take_back(std::unique_ptr<sql::Connection> connection) noexcept;

    sql::Database& database_;
    const sql::OpenMode mode_;
    const bool several_;
    std::mutex mutex_;
    std::condition_variable given_back_;
    std::vector<std::unique_ptr<sql::Connection>> free_;
    std::size_t lent_ = 0;
    std::thread::id borrower_;       ///< of the only one
    std::int64_t closed_count_ = 0;  ///< statements of those that were closed
};

}  // namespace fermata
