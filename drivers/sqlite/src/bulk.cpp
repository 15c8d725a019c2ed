#include "bulk.hpp"

#include "connection.hpp"

#include <fermata/base/text.hpp>
#include <fermata/base/value_text.hpp>
#include <fermata/sql/numbers.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace fermata::sqlite {

namespace {

std::vector<std::string> names_of(std::span<const sql::Column> columns) {
    std::vector<std::string> names;
    for (const auto& column : columns) names.push_back(column.name);
    return names;
}

std::vector<sql::Column> find_columns(Connection& connection, const sql::BulkTarget& target) {
    sql::check_keys(connection.name(), target);
    const auto present = connection.columns_of(target.table);
    std::vector<sql::Column> columns;
    for (const std::size_t place : sql::places_of(connection, connection.name(), target, names_of(present)))
        columns.push_back(present[place]);
    for (const sql::Column& column : columns)
        if (column.generated)
            sql::refuse_target(connection.name(), target,
                               fmt::format("column \"{}\" is GENERATED ALWAYS", column.name));
    return columns;
}

std::string insert_sql(const sql::BulkTarget& target) {
    std::vector<std::string> places;
    for (std::size_t i = 1; i <= target.columns.size(); ++i) places.push_back(fmt::format("${}", i));
    return fmt::format("INSERT INTO {} ({}) VALUES ({}){}", sql::quote_table(target.table),
                       sql::quoted_list(target.columns), fmt::join(places, ", "), sql::conflict_clause(target));
}

Statement prepare(const Connection& connection, const sql::BulkTarget& target) {
    try {
        return {connection.handle(), connection.name(), insert_sql(target), true};
    } catch (const sql::SqlError&) {
        // Table and columns are there, so it is ON CONFLICT that SQLite does not take.
        sql::refuse_target(connection.name(), target,
                           fmt::format("({}) is no unique key", fmt::join(target.keys, ", ")));
    }
}

std::string shown(const Value& value) {
    if (value.kind() == Value::Kind::text) return fmt::format("\"{}\"", printable(value.text(), 60));
    if (value.kind() == Value::Kind::bytes) return fmt::format("{} bytes", value.bytes().size());
    return to_text(value);
}

}  // namespace

BulkWriter::BulkWriter(Connection& connection, const sql::BulkTarget& target)
    : connection_(connection),
      table_(target.table),
      columns_(find_columns(connection, target)),
      statement_(prepare(connection, target)) {
    for (const auto& column : columns_)
        numeric_.push_back(column.type == sql::ColumnType::integer || column.type == sql::ColumnType::real);
}

int BulkWriter::bind_number(std::size_t column, std::string_view text, std::size_t row) {
    const auto place = static_cast<int>(column + 1);
    if (columns_[column].type == sql::ColumnType::integer) {
        if (const auto number = parse_int64(text)) return sqlite3_bind_int64(statement_.get(), place, *number);
        refuse(text, sql::why_no_integer(parse_double(text)), column, row);
    }
    if (const auto number = parse_double(text); number && std::isfinite(*number))
        return sqlite3_bind_double(statement_.get(), place, *number);
    refuse(text, "is not a number", column, row);
}

void BulkWriter::refuse(std::string_view text, std::string_view why, std::size_t column, std::size_t row) const {
    throw ConversionError(fmt::format("\"{}\" {} for column {}.{} ({})", printable(text), why, table_,
                                      columns_[column].name, columns_[column].declared),
                          std::to_string(row));
}

inline int BulkWriter::bind_cell(std::size_t column, const Value& cell, std::size_t row) {
    if (numeric_[column] && cell.kind() == Value::Kind::text) return bind_number(column, cell.text(), row);
    if (cell.kind() == Value::Kind::real && std::isnan(cell.real())) [[unlikely]]
        refuse("nan", "is not a number, and SQLite would write null in its place", column, row);
    return bind_value(statement_.get(), static_cast<int>(column + 1), cell, SQLITE_STATIC);
}

void BulkWriter::write(std::size_t rows, std::span<const Value> cells) {
    connection_.check_transaction();
    connection_.count_statement();
    const std::size_t width = columns_.size();
    for (std::size_t row = 0; row < rows; ++row) {
        const auto values = cells.subspan(row * width, width);
        for (std::size_t column = 0; column < width; ++column) {
            const int code = bind_cell(column, values[column], row);
            if (code != SQLITE_OK) [[unlikely]]
                fail(code, row, values);
        }
        const int code = sqlite3_step(statement_.get());
        statement_.reset();
        if (code != SQLITE_DONE) [[unlikely]]
            fail(code, row, values);
    }
}

void BulkWriter::fail(int code, std::size_t row, std::span<const Value> cells) {
    const std::string hint = values_of_named_columns(sqlite3_errmsg(connection_.handle()), cells);
    const std::string number = std::to_string(row);
    connection_.follow_rollback();
    throw_error(code, {connection_.handle(), connection_.name(), statement_.sql(), number, hint});
}

/// "UNIQUE constraint failed: vendors.id" names columns; which values they were is in our hands only.
std::string BulkWriter::values_of_named_columns(std::string_view message, std::span<const Value> cells) const {
    std::vector<std::string> hints;
    for (std::string name : split(message.substr(message.rfind(": ") + 1), ',')) {
        name = name.substr(name.rfind('.') + 1);
        for (std::size_t column = 0; column < columns_.size(); ++column) {
            if (columns_[column].name == name) hints.push_back(fmt::format("{} = {}", name, shown(cells[column])));
        }
    }
    return fmt::format("{}", fmt::join(hints, ", "));
}

}  // namespace fermata::sqlite
