#pragma once
// A server's cursor, read in portions, so that neither side holds the whole result.
#include "types.hpp"

#include <memory>
#include <optional>

namespace fermata::postgres {

class Connection;

class Cursor final : public sql::Cursor {
public:
    /// Inside the connection's transaction, or else in one of its own that only reads. Throws SqlError if `sql` writes.
    Cursor(Connection& connection, const std::string& sql, const sql::Params& params);
    Cursor(const Cursor&) = delete;
    Cursor& operator=(const Cursor&) = delete;
    ~Cursor() override;

    bool next() override;
    [[nodiscard]] std::span<const Value> row() const override { return row_; }
    [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }

private:
    void open();
    void declare(const sql::Params& params);
    void refill();
    void fetch();
    void close() noexcept;
    void queue(const char* sql);
    /// Sends what is queued; the last answer.
    Handle<PGresult> ask();

    Connection& connection_;
    std::int64_t era_ = 0;  ///< of the connection: later the server knows nothing of us
    std::string sql_;
    std::string name_;
    int queued_ = 0;
    bool open_ = false;
    bool own_transaction_ = false;
    bool binary_ = false;
    std::vector<std::string> columns_;
    std::int64_t portion_;  ///< rows of the next fetch
    Handle<PGresult> result_;
    std::optional<Rows> rows_;
    int place_ = 0;
    std::span<const Value> row_;
};

}  // namespace fermata::postgres
