#pragma once
// Transactions of the store, and when one is done again.
//
// Order of row locks, so that no two verbs wait for each other: job_instance, job_execution, step_execution,
// step_progress, worker; rows of one table by id. A verb that decides on what it reads locks first and reads after, in
// statements of their own: a statement that had to wait for a lock sees only that row anew.
#include "connection_pool.hpp"

#include <fermata/base/clock.hpp>

#include <chrono>
#include <functional>
#include <optional>

namespace fermata {

/// The connection was lost while committing: it is unknown whether anything was kept.
class InDoubt : public sql::SqlError {
public:
    explicit InDoubt(const sql::SqlError& lost) : SqlError(lost) {}
};

class Store;

/// A write transaction on a connection of its own; rolls back unless committed.
class StoreWrite {
public:
    StoreWrite(Store& store, sql::Connection& connection);
    sql::Connection* operator->() const noexcept { return &*transaction_; }
    sql::Connection& operator*() const noexcept { return *transaction_; }
    /// Throws InDoubt, besides what the connection throws.
    std::vector<sql::Result> commit(std::span<const sql::Command> last = {});
    /// Of sql::EarlyCommit where there is such a thing: ", expression" to answer behind other columns; the commit,
    /// which is an ordinary one elsewhere; the way to the disk; and the wait.
    [[nodiscard]] std::string early_column() const;
    std::vector<sql::Result> commit_early(std::span<const sql::Command> last = {});
    void send_to_disk();
    void wait_for_disk();
    /// Locks a row, if it is there, until the end; where writers exclude each other that is so already.
    void lock(std::string_view table, std::int64_t id);
    [[nodiscard]] const sql::Dialect& dialect() const noexcept { return dialect_; }
    /// The instant of everything this verb does.
    [[nodiscard]] Timestamp now() const noexcept { return now_; }

private:
    sql::Transaction transaction_;
    const sql::Dialect& dialect_;
    Timestamp now_;
};

/// For how long a verb is tried again after its connection was lost, or after it had to give way to another one. For a
/// server that is gone its driver waits.
class Patience {
public:
    explicit Patience(const sql::Dialect& dialect) : server_(dialect.concurrent_writers) {}
    /// Returns after a pause if the verb is to be done again; else throws `error`.
    void wait_or_rethrow(const sql::SqlError& error);

private:
    bool server_;
    std::chrono::milliseconds pause_{5};
    std::optional<std::chrono::steady_clock::time_point> since_;
};

class Store {
public:
    Store(sql::Database& its_database, const Clock& its_clock)
        : database(its_database),
          clock(its_clock),
          writers(its_database, sql::OpenMode::read_write),
          readers(its_database, sql::OpenMode::read_only) {}

    sql::Database& database;
    const Clock& clock;
    ConnectionPool writers;
    ConnectionPool readers;

    /// Runs a verb, which commits `write`, and does it again as long as a lost connection or another verb's locks kept
    /// it from that. After a commit whose verdict is unknown, `committed` tells by a locking read in a transaction of
    /// its own; without it the verb must be one that does no harm the second time. All on one connection, `on` if
    /// given: after a loss its driver ends the session it had, so that what was sent then cannot arrive later.
    /// Answers the connection.
    ConnectionPool::Lease transact(const std::function<void(StoreWrite& write)>& verb,
                                   const std::function<bool(StoreWrite& look)>& committed = {},
                                   std::optional<ConnectionPool::Lease> on = std::nullopt);

    /// Answers what `work` does in a transaction, which is over then.
    template <class Work>
    auto run(Work&& work, sql::Connection& connection) {
        StoreWrite write(*this, connection);
        return work(write);
    }

    /// Answers what `ask(connection)` answers; asks again after a lost connection.
    template <class F>
    auto read(F&& ask) {
        Patience patience(database.dialect());
        for (;;) {
            try {
                // Opening another one costs a short program more than all it does. It is opened as soon as a writer is
                // in the way: reading never waits for a chunk.
                if (const auto idle = writers.lend_idle()) return ask(**idle);
                const ConnectionPool::Lease lease = readers.lend();
                return ask(*lease);
            } catch (const sql::SqlError& error) {
                patience.wait_or_rethrow(error);
            }
        }
    }
    sql::Result select(std::string_view sql, const sql::Params& params = {}) {
        return read([&](sql::Connection& c) { return c.execute(sql, params); });
    }
};

}  // namespace fermata
