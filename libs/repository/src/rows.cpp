#include "rows.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace fermata {

Value bytes_cell(const std::optional<std::string>& bytes) {
    return bytes ? Value(std::as_bytes(std::span(*bytes))) : Value();
}

std::optional<std::int64_t> RowReader::optional_integer() {
    const Value& value = next();
    return value.is_null() ? std::nullopt : std::optional(value.integer());
}

std::optional<std::string> RowReader::optional_text() {
    const Value& value = next();
    return value.is_null() ? std::nullopt : std::optional<std::string>(value.text());
}

std::optional<Timestamp> RowReader::optional_time() {
    const auto micros = optional_integer();
    return micros ? std::optional(from_micros(*micros)) : std::nullopt;
}

BatchStatus RowReader::status() {
    const std::string_view name = next().text();
    if (const auto status = parse_batch_status(name)) return *status;
    throw Error(ErrorKind::refused, fmt::format("the repository holds an unknown status \"{}\"", name),
                "run fermata db verify");
}

std::optional<Failure> RowReader::failure() {
    const auto error_class = optional_text();
    const auto message = optional_text();
    const auto step = optional_text();
    const auto position = optional_text();
    if (!error_class) return std::nullopt;
    return Failure{*error_class, message.value_or(""), step.value_or(""), position.value_or("")};
}

Metrics RowReader::metrics() {
    Metrics m;
    for (std::int64_t* count :
         {&m.read, &m.written, &m.filtered, &m.read_skips, &m.process_skips, &m.write_skips, &m.commits, &m.rollbacks})
        *count = integer();
    return m;
}

void append_failure(sql::Params& params, const std::optional<Failure>& failure) {
    if (!failure) {
        params.insert(params.end(), 4, Value());
        return;
    }
    params.insert(params.end(), {cell(failure->error_class), cell(failure->message), nonempty_cell(failure->step),
                                 nonempty_cell(failure->position)});
}

void append_metrics(sql::Params& params, const Metrics& m) {
    params.insert(params.end(), {Value(m.read), Value(m.written), Value(m.filtered), Value(m.read_skips),
                                 Value(m.process_skips), Value(m.write_skips), Value(m.commits), Value(m.rollbacks)});
}

namespace {

std::string text_of_rows(std::string_view head, std::size_t width, std::size_t cells) {
    std::string sql(head);
    for (std::size_t at = 0; at < cells; ++at) {
        const bool first_of_row = at % width == 0;
        if (first_of_row) sql += at == 0 ? "(" : "), (";
        sql += fmt::format("{}${}", first_of_row ? "" : ", ", at + 1);
    }
    return sql + ')';
}

}  // namespace

void append_rows(std::vector<sql::Command>& commands, std::string_view head, std::size_t width,
                 const sql::Params& cells, std::deque<std::string>& texts) {
    // SQLite looks up each $n among all before it: twice as many cost four times as much.
    constexpr std::size_t parameters = 4'000;
    const std::size_t batch = parameters / width * width;
    for (std::size_t begin = 0; begin < cells.size(); begin += batch) {
        const std::size_t end = std::min(cells.size(), begin + batch);
        texts.push_back(text_of_rows(head, width, end - begin));
        commands.push_back(
            {texts.back(),
             {cells.begin() + static_cast<std::ptrdiff_t>(begin), cells.begin() + static_cast<std::ptrdiff_t>(end)}});
    }
}

void insert_rows(sql::Connection& connection, std::string_view head, std::size_t width, const sql::Params& cells) {
    std::vector<sql::Command> commands;
    std::deque<std::string> texts;
    append_rows(commands, head, width, cells, texts);
    for (const sql::Command& command : commands) connection.execute(command);
}

}  // namespace fermata
