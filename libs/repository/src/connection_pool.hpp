#pragma once
// Connections of one kind to one database, each lent to one verb at a time. Where a write transaction excludes others
// there is one, and verbs queue for it; where writers run beside each other, nobody waits here.
#include <fermata/sql/sql.hpp>

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

namespace fermata {

class ConnectionPool {
public:
    class Lane;
    /// Gives its connection back at the end, to the lane it came from if there was one. REQUIRES: no transaction is
    /// open then.
    class Lease {
    public:
        Lease(Lease&& other) noexcept
            : pool_(other.pool_), connection_(std::move(other.connection_)), lane_(other.lane_) {}
        ~Lease() {
            if (connection_) pool_->take_back(std::move(connection_), lane_);
        }
        sql::Connection& operator*() const noexcept { return *connection_; }

    private:
        friend class ConnectionPool;
        Lease(ConnectionPool& pool, std::unique_ptr<sql::Connection> connection, Lane* lane)
            : pool_(&pool), connection_(std::move(connection)), lane_(lane) {}
        ConnectionPool* pool_;
        std::unique_ptr<sql::Connection> connection_;
        Lane* lane_;
    };
    /// Lends one and the same connection, to one borrower after the other; nobody else gets it meanwhile. Where there
    /// is only one, that is no promise of the lane's. REQUIRES: outlives its leases.
    class Lane {
    public:
        explicit Lane(ConnectionPool& pool) : pool_(pool) {}
        ~Lane() {
            if (kept_) pool_.give_up(std::move(kept_));
        }
        Lane(const Lane&) = delete;
        Lane& operator=(const Lane&) = delete;
        [[nodiscard]] Lease lend() { return pool_.lend(this); }

    private:
        friend class ConnectionPool;
        ConnectionPool& pool_;
        std::unique_ptr<sql::Connection> kept_;
    };

    /// `reading`: for how long one that reads is waited for before another connection is opened. A server takes some 8
    /// ms to open one, and most queries one.
    ConnectionPool(sql::Database& database, sql::OpenMode mode,
                   std::chrono::milliseconds reading = std::chrono::milliseconds(5))
        : database_(database), mode_(mode), several_(database.dialect().concurrent_writers), reading_(reading) {}

    /// Waits for the connection if there can be only one; throws Error(failed) where this thread has it already. Opens
    /// one if none is free: throws what Database::connect throws.
    [[nodiscard]] Lease lend() { return lend(nullptr); }
    /// For reading: the connection if there can be only one, is open already and no writer has it. Waits for another
    /// reader, who is done sooner than a connection is opened; nothing where that is this thread itself.
    [[nodiscard]] std::optional<Lease> lend_idle();
    /// A connection opened before.
    void add(std::unique_ptr<sql::Connection> connection) {
        connection->close_lightly();
        free_.push_back(std::move(connection));
    }
    /// Of all connections that were lent here; waits until none is.
    [[nodiscard]] std::int64_t statement_count();

private:
    [[nodiscard]] Lease lend(Lane* lane);
    void take_back(std::unique_ptr<sql::Connection> connection, Lane* lane) noexcept;
    void give_up(std::unique_ptr<sql::Connection> connection) noexcept;
    void keep_or_close(std::unique_ptr<sql::Connection> connection) noexcept;

    sql::Database& database_;
    const sql::OpenMode mode_;
    const bool several_;
    const std::chrono::milliseconds reading_;
    std::mutex mutex_;
    std::condition_variable given_back_;
    std::vector<std::unique_ptr<sql::Connection>> free_;
    std::size_t lent_ = 0;
    std::thread::id borrower_;       ///< of the only one
    bool is_read_ = false;           ///< what is lent is the only one, and its borrower reads
    std::int64_t closed_count_ = 0;  ///< statements of those that were closed
};

}  // namespace fermata
