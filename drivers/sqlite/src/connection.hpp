#pragma once
// One SQLite connection behind the port.
#include "handle.hpp"
#include "statement.hpp"
#include "turnstile.hpp"

#include <memory>
#include <string>
#include <unordered_map>

namespace fermata::sqlite {

class Connection final : public sql::Connection {
public:
    /// `name` is the database for messages, `path` canonical.
    Connection(std::string name, const std::filesystem::path& path, sql::OpenMode mode, Settings settings);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() override;

    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override;
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override;
    void execute_script(std::string_view script) override;
    void begin() override;
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override;
    void rollback() noexcept override;
    [[nodiscard]] bool in_transaction() const noexcept override { return in_transaction_; }
    [[nodiscard]] std::unique_ptr<sql::Cursor> query(std::string sql, sql::Params params) override;
    [[nodiscard]] std::unique_ptr<sql::BulkWriter> bulk(const sql::BulkTarget& target) override;
    [[nodiscard]] std::vector<sql::Column> columns_of(std::string_view table) override;
    [[nodiscard]] std::vector<std::string> tables() override;
    [[nodiscard]] std::string quote(std::string_view identifier) const override;
    void interrupt() noexcept override;
    void close_lightly() noexcept override { closes_lightly_ = true; }
    [[nodiscard]] std::int64_t statement_count() const noexcept override { return statement_count_; }

    [[nodiscard]] sqlite3* handle() const noexcept { return db_.get(); }
    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    void count_statement() noexcept { ++statement_count_; }
    /// Throws SqlError(other) outside of a transaction.
    void check_transaction() const;
    /// SQLite itself rolls back on a full disk and the like; follow it. Call after any failed statement.
    void follow_rollback() noexcept;

private:
    void create(const std::filesystem::path& path, bool is_private);
    void open(const std::filesystem::path& path, const std::filesystem::path& mode_of, int more_flags);
    void configure(sql::OpenMode mode);
    [[nodiscard]] bool has_long_log() const noexcept;
    bool take_turn_to_close() noexcept;
    void refuse_write_if_read_only() const;
    Statement& cached(std::string_view sql);
    sql::Result run(Statement& statement, const sql::Command& command);
    void run_plain(std::string_view sql);
    void end_transaction() noexcept;

    std::string name_;
    bool read_only_;
    Settings settings_;
    Turnstile turnstile_;
    DatabaseHandle db_;
    std::unordered_map<std::string_view, std::unique_ptr<Statement>> statements_;  ///< keys: Statement::sql()
    std::vector<Value> row_;                                                       ///< kept for its capacity
    bool in_transaction_ = false;
    bool closes_lightly_ = false;
    std::int64_t statement_count_ = 0;
};

}  // namespace fermata::sqlite
