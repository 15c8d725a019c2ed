#pragma once
// What a Repository holds: the connection that writes, the one that reads, and their locks.
#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

namespace fermata {

struct Repository::Impl {
    Impl(sql::Database& its_database, const Clock& its_clock) : database(its_database), clock(its_clock) {}

    sql::Database& database;
    const Clock& clock;
    std::recursive_mutex write_mutex;
    std::unique_ptr<sql::Connection> writer;
    std::mutex read_mutex;
    std::unique_ptr<sql::Connection> reader;  ///< opened by the first query

    /// A write transaction with the right to the connection; rolls back unless committed.
    class Write {
    public:
        explicit Write(Impl& impl) : lock_(impl.write_mutex), transaction_(*impl.writer), now_(impl.clock.now()) {}
        sql::Connection* operator->() const noexcept { return &*transaction_; }
        sql::Connection& operator*() const noexcept { return *transaction_; }
        std::vector<sql::Result> commit(std::span<const sql::Command> last = {}) { return transaction_.commit(last); }
        /// The instant of everything this verb does.
        [[nodiscard]] Timestamp now() const noexcept { return now_; }

    private:
        std::unique_lock<std::recursive_mutex> lock_;
        sql::Transaction transaction_;
        Timestamp now_;
    };

    /// Answers what `ask(connection)` answers.
    template <class F>
    auto read(F&& ask) {
        const std::lock_guard lock(read_mutex);
        if (!reader) {
            reader = database.connect(sql::OpenMode::read_only);
            reader->close_lightly();
        }
        return ask(*reader);
    }
    sql::Result select(std::string_view sql, sql::Params params = {}) {
        return read([&](sql::Connection& c) { return c.execute(sql, std::move(params)); });
    }
};

[[nodiscard]] inline Error no_such_execution(JobExecutionId execution) {
    return Error(ErrorKind::not_found, fmt::format("there is no execution {}", execution.value()),
                 "fermata list shows those there are");
}

}  // namespace fermata
