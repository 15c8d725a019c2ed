#pragma once
#include "statement.hpp"

namespace fermata::sqlite {

class Connection;

/// One prepared INSERT, stepped row by row.
class BulkWriter final : public sql::BulkWriter {
public:
    /// Throws Error(refused) if the table, a column or a key is not there.
    BulkWriter(Connection& connection, const sql::BulkTarget& target);
    void write(std::size_t rows, std::span<const Value> cells) override;

private:
    int bind_cell(std::size_t column, const Value& cell, std::size_t row);
    int bind_number(std::size_t column, std::string_view text, std::size_t row);
    [[noreturn]] void refuse(std::string_view text, std::string_view why, std::size_t column, std::size_t row) const;
    [[noreturn]] void fail(int code, std::size_t row, std::span<const Value> cells);
    [[nodiscard]] std::string values_of_named_columns(std::string_view message, std::span<const Value> cells) const;

    Connection& connection_;
    std::string table_;
    std::vector<sql::Column> columns_;  ///< in the order of the cells
    std::vector<bool> numeric_;         ///< of each: text must become a number
    Statement statement_;
};

}  // namespace fermata::sqlite
