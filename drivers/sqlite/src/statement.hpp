#pragma once
// A prepared statement with $1…$n.
#include "errors.hpp"
#include "handle.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fermata::sqlite {

class Statement {
public:
    /// Prepares `sql`, one statement. `keep` tells SQLite that it will live long.
    Statement(sqlite3* db, std::string_view file, std::string_view sql, bool keep);

    /// Whose text is bound: the caller's until reset, or a copy.
    enum class Text { borrowed, copied };
    void bind(const sql::Params& params, Text text = Text::borrowed);
    /// True: a row is there. Throws by kind, after a reset.
    bool step();
    void reset() noexcept { sqlite3_reset(handle_.get()); }

    [[nodiscard]] sqlite3_stmt* get() const noexcept { return handle_.get(); }
    [[nodiscard]] const std::string& sql() const noexcept { return sql_; }
    [[nodiscard]] bool reads_only() const noexcept { return reads_only_; }
    [[nodiscard]] std::vector<std::string> columns() const;
    /// The present row; its text lives until the next step or reset.
    void read_row(std::vector<Value>& cells) const;

private:
    void number_parameters();
    [[nodiscard]] Site site() const noexcept { return {db_, file_, sql_}; }

    sqlite3* db_;
    std::string_view file_;
    std::string sql_;
    StatementHandle handle_;
    bool reads_only_ = false;
    std::vector<std::size_t> numbers_;  ///< the n of each parameter's $n, by SQLite's index from 0
    std::size_t expected_ = 0;          ///< the highest n
};

/// One value to one place, from 1. Here, because bulk writing does it for every cell.
inline int bind_value(sqlite3_stmt* stmt, int place, const Value& value, sqlite3_destructor_type lifetime) noexcept {
    switch (value.kind()) {
        case Value::Kind::null:
            return sqlite3_bind_null(stmt, place);
        case Value::Kind::boolean:
            return sqlite3_bind_int(stmt, place, value.boolean() ? 1 : 0);
        case Value::Kind::integer:
            return sqlite3_bind_int64(stmt, place, value.integer());
        case Value::Kind::real:
            return sqlite3_bind_double(stmt, place, value.real());
        case Value::Kind::text: {
            // A null pointer would bind NULL; an empty text is not null.
            const std::string_view text = value.text().data() != nullptr ? value.text() : std::string_view("");
            return sqlite3_bind_text64(stmt, place, text.data(), text.size(), lifetime, SQLITE_UTF8);
        }
        case Value::Kind::bytes:
            if (value.bytes().empty()) return sqlite3_bind_zeroblob(stmt, place, 0);
            return sqlite3_bind_blob64(stmt, place, value.bytes().data(), value.bytes().size(), lifetime);
    }
    return SQLITE_MISUSE;
}

}  // namespace fermata::sqlite
