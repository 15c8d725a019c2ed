#pragma once
#include "statement.hpp"

namespace fermata::sqlite {

class Connection;

class Cursor final : public sql::Cursor {
public:
    /// Throws SqlError(other) if `sql` writes.
    Cursor(Connection& connection, const std::string& sql, const sql::Params& params);
    bool next() override;
    [[nodiscard]] std::span<const Value> row() const override { return row_; }
    [[nodiscard]] const std::vector<std::string>& columns() const override { return columns_; }

private:
    Statement statement_;
    std::vector<std::string> columns_;
    std::vector<Value> row_;
    bool ended_ = false;
};

}  // namespace fermata::sqlite
