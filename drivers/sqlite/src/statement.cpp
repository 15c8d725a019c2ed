#include "statement.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::sqlite {

using sql::SqlError;

Statement::Statement(sqlite3* db, std::string_view file, std::string_view sql, bool keep)
    : db_(db), file_(file), sql_(sql) {
    sqlite3_stmt* prepared = nullptr;
    const char* tail = nullptr;
    const int code = sqlite3_prepare_v3(db_, sql_.data(), static_cast<int>(sql_.size() + 1),
                                        keep ? SQLITE_PREPARE_PERSISTENT : 0, &prepared, &tail);
    handle_.reset(prepared);
    check(code, site());
    if (prepared == nullptr || !trim(tail).empty())
        throw SqlError(SqlError::Kind::syntax,
                       fmt::format("{}: exactly one statement is wanted: {}", file_, printable(sql_)));
    reads_only_ = sqlite3_stmt_readonly(prepared) != 0;
    number_parameters();
}

void Statement::number_parameters() {
    const int count = sqlite3_bind_parameter_count(handle_.get());
    for (int place = 1; place <= count; ++place) {
        const char* name = sqlite3_bind_parameter_name(handle_.get(), place);
        const auto number = name != nullptr && name[0] == '$' ? parse_int64(name + 1) : std::nullopt;
        if (!number || *number < 1)
            throw SqlError(SqlError::Kind::syntax, fmt::format("{}: parameter {} is not $1, $2… in: {}", file_,
                                                               name == nullptr ? "?" : name, printable(sql_)));
        numbers_.push_back(static_cast<std::size_t>(*number));
        expected_ = std::max(expected_, numbers_.back());
    }
}

void Statement::bind(const sql::Params& params, Text text) {
    if (params.size() != expected_)
        throw SqlError(SqlError::Kind::syntax, fmt::format("{}: {} parameters for ${} in: {}", file_, params.size(),
                                                           expected_, printable(sql_)));
    const auto lifetime = text == Text::borrowed ? SQLITE_STATIC : SQLITE_TRANSIENT;
    for (std::size_t place = 0; place < numbers_.size(); ++place) {
        check(bind_value(handle_.get(), static_cast<int>(place + 1), params[numbers_[place] - 1], lifetime), site());
    }
}

bool Statement::step() {
    const int code = sqlite3_step(handle_.get());
    if (code == SQLITE_ROW) return true;
    if (code == SQLITE_DONE) return false;
    reset();
    throw_error(code, site());
}

std::vector<std::string> Statement::columns() const {
    std::vector<std::string> names;
    for (int i = 0; i < sqlite3_column_count(handle_.get()); ++i)
        names.emplace_back(sqlite3_column_name(handle_.get(), i));
    return names;
}

namespace {

Value read_cell(sqlite3_stmt* stmt, int column) noexcept {
    switch (sqlite3_column_type(stmt, column)) {
        case SQLITE_INTEGER:
            return Value(static_cast<std::int64_t>(sqlite3_column_int64(stmt, column)));
        case SQLITE_FLOAT:
            return Value(sqlite3_column_double(stmt, column));
        case SQLITE_TEXT: {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(stmt, column));
            return Value(std::string_view(text, static_cast<std::size_t>(sqlite3_column_bytes(stmt, column))));
        }
        case SQLITE_BLOB: {
            const auto* bytes = static_cast<const std::byte*>(sqlite3_column_blob(stmt, column));
            return Value(std::span(bytes, static_cast<std::size_t>(sqlite3_column_bytes(stmt, column))));
        }
        default:
            return {};
    }
}

}  // namespace

void Statement::read_row(std::vector<Value>& cells) const {
    const int count = sqlite3_data_count(handle_.get());
    cells.resize(static_cast<std::size_t>(count));
    for (int i = 0; i < count; ++i) cells[static_cast<std::size_t>(i)] = read_cell(handle_.get(), i);
}

}  // namespace fermata::sqlite
