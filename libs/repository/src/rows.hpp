#pragma once
// Between rows and values: reading a result column after column, and binding optional fields.
#include <fermata/model/records.hpp>
#include <fermata/sql/sql.hpp>

#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace fermata {

/// Text is borrowed.
[[nodiscard]] inline Value cell(std::string_view text) { return text; }
[[nodiscard]] inline Value cell(const std::string& text) { return std::string_view(text); }
[[nodiscard]] inline Value cell(const std::optional<std::string>& text) {
    return text ? Value(std::string_view(*text)) : Value();
}
[[nodiscard]] inline Value cell(Timestamp time) { return to_micros(time); }
[[nodiscard]] Value bytes_cell(const std::optional<std::string>& bytes);
[[nodiscard]] inline Value flag_cell(bool flag) { return flag ? 1 : 0; }
/// Like cell(optional): an empty text is no text.
[[nodiscard]] inline Value nonempty_cell(std::string_view text) { return text.empty() ? Value() : Value(text); }

/// Takes the cells of a row in the order of its SELECT list.
class RowReader {
public:
    explicit RowReader(std::span<const Value> row) : row_(row) {}
    std::int64_t integer() { return next().integer(); }
    bool flag() { return next().integer() != 0; }
    std::string text() { return std::string(next().text()); }
    std::optional<std::int64_t> optional_integer();
    std::optional<std::string> optional_text();  ///< text or bytes
    Timestamp time() { return from_micros(integer()); }
    std::optional<Timestamp> optional_time();
    BatchStatus status();
    std::optional<Failure> failure();  ///< error_class, error_message, error_step, error_position
    Metrics metrics();                 ///< in the order of metrics_columns

private:
    const Value& next() { return row_[at_++]; }
    std::span<const Value> row_;
    std::size_t at_ = 0;
};

/// What `read` makes of each row.
template <class F>
auto read_all(const sql::Result& rows, F read) {
    std::vector<decltype(read(rows[0]))> values;
    values.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) values.push_back(read(rows[i]));
    return values;
}

/// Four cells, as RowReader::failure reads them.
void append_failure(sql::Params& params, const std::optional<Failure>& failure);
/// Eight cells.
void append_metrics(sql::Params& params, const Metrics& metrics);

/// Executes `head` ("INSERT INTO t (a, b) VALUES ") for all rows of `cells`, row-major, in statements of some thousand
/// cells.
void insert_rows(sql::Connection& connection, std::string_view head, std::size_t width, const sql::Params& cells);
/// The same statements, for whoever has others to send with them; `texts` keeps their texts.
void append_rows(std::vector<sql::Command>& commands, std::string_view head, std::size_t width,
                 const sql::Params& cells, std::deque<std::string>& texts);

}  // namespace fermata
