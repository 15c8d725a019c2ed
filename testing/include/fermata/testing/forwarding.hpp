#pragma once
// A database that hands everything on to another one; a test overrides what it wants to see, delay or break.
#include <fermata/sql/sql.hpp>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fermata::testing {

class ForwardingConnection : public sql::Connection {
public:
    explicit ForwardingConnection(std::unique_ptr<sql::Connection> real) : real_(std::move(real)) {}
    using sql::Connection::execute;
    sql::Result execute(const sql::Command& command) override { return real_->execute(command); }
    std::vector<sql::Result> execute_all(std::span<const sql::Command> commands) override {
        return real_->execute_all(commands);
    }
    void execute_script(std::string_view script) override { real_->execute_script(script); }
    void begin() override { real_->begin(); }
    std::vector<sql::Result> commit(std::span<const sql::Command> last) override { return real_->commit(last); }
    void rollback() noexcept override { real_->rollback(); }
    [[nodiscard]] bool in_transaction() const noexcept override { return real_->in_transaction(); }
    [[nodiscard]] std::unique_ptr<sql::Cursor> query(std::string sql, sql::Params params) override {
        return real_->query(std::move(sql), std::move(params));
    }
    [[nodiscard]] std::unique_ptr<sql::BulkWriter> bulk(const sql::BulkTarget& target) override {
        return real_->bulk(target);
    }
    [[nodiscard]] std::vector<sql::Column> columns_of(std::string_view table) override {
        return real_->columns_of(table);
    }
    [[nodiscard]] std::vector<std::string> tables() override { return real_->tables(); }
    [[nodiscard]] std::string quote(std::string_view identifier) const override { return real_->quote(identifier); }
    void interrupt() noexcept override { real_->interrupt(); }
    void close_lightly() noexcept override { real_->close_lightly(); }
    [[nodiscard]] std::int64_t statement_count() const noexcept override { return real_->statement_count(); }
    [[nodiscard]] std::int64_t round_trip_count() const noexcept override { return real_->round_trip_count(); }

protected:
    [[nodiscard]] sql::Connection& real() noexcept { return *real_; }
    /// For one that only borrowed it: nothing else may be called afterwards.
    [[nodiscard]] std::unique_ptr<sql::Connection> give_back() noexcept { return std::move(real_); }

private:
    std::unique_ptr<sql::Connection> real_;
};

class ForwardingDatabase : public sql::Database {
public:
    using Wrap = std::function<std::unique_ptr<sql::Connection>(std::unique_ptr<sql::Connection>)>;
    ForwardingDatabase(std::unique_ptr<sql::Database> real, Wrap wrap)
        : dialect_(real->dialect()), real_(std::move(real)), wrap_(std::move(wrap)) {}
    /// As if other writers could commit beside us: what is lost may come back.
    void pretend_to_be_a_server() { dialect_.concurrent_writers = true; }

    [[nodiscard]] std::unique_ptr<sql::Connection> connect(sql::OpenMode mode) override {
        return wrap_(real_->connect(mode));
    }
    [[nodiscard]] const sql::Dialect& dialect() const noexcept override { return dialect_; }
    [[nodiscard]] std::string identity() const override { return real_->identity(); }
    [[nodiscard]] std::string display_name() const override { return real_->display_name(); }
    [[nodiscard]] bool exists() const override { return real_->exists(); }
    [[nodiscard]] std::vector<std::string> integrity_check() override { return real_->integrity_check(); }
    void backup_to(const std::string& target) override { real_->backup_to(target); }

private:
    sql::Dialect dialect_;
    std::unique_ptr<sql::Database> real_;
    Wrap wrap_;
};

}  // namespace fermata::testing
