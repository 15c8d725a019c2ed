#include "sql_text.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace fermata::postgres {

namespace {

bool is_word(char c) noexcept {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Words and parameters of a statement; passes over quoted text, dollar quotes and remarks.
class Scanner {
public:
    explicit Scanner(std::string_view sql) : rest_(sql) {}

    /// The next word or "$1", empty at the end.
    std::string_view next() {
        while (!rest_.empty()) {
            if (rest_.front() == '\'') {
                pass_quoted('\'', false);
            } else if (rest_.front() == '"') {
                pass_quoted('"', false);
            } else if (rest_.starts_with("--")) {
                pass(std::min(rest_.find('\n'), rest_.size()));
            } else if (rest_.starts_with("/*")) {
                pass_remark();
            } else if (rest_.front() == '$') {
                if (const std::string_view parameter = dollar(); !parameter.empty()) return parameter;
            } else if (is_word(rest_.front())) {
                if (const std::string_view found = word(); !found.empty()) return found;
            } else {
                pass(1);
            }
        }
        return {};
    }

private:
    std::string_view pass(std::size_t count) {
        const std::string_view passed = rest_.substr(0, count);
        rest_.remove_prefix(passed.size());
        return passed;
    }
    void pass_quoted(char quote, bool escapes) {
        pass(1);
        while (!rest_.empty()) {
            const char c = pass(1).front();
            if (escapes && c == '\\') pass(1);
            if (c == quote) return;  // a doubled quote begins the next one at once
        }
    }
    void pass_remark() {
        int depth = 0;
        do {
            if (rest_.starts_with("/*")) {
                ++depth, pass(2);
            } else if (rest_.starts_with("*/")) {
                --depth, pass(2);
            } else {
                pass(1);
            }
        } while (depth > 0 && !rest_.empty());
    }
    std::string_view dollar() {
        std::size_t end = 1;
        while (end < rest_.size() && is_word(rest_[end])) ++end;
        const bool is_parameter = end > 1 && std::isdigit(static_cast<unsigned char>(rest_[1])) != 0;
        const std::string_view word = pass(is_parameter || end == rest_.size() || rest_[end] != '$' ? end : end + 1);
        if (is_parameter) return word;
        if (word.size() > 1 && word.back() == '$') {  // $tag$…$tag$
            const std::size_t close = rest_.find(word);
            pass(close == std::string_view::npos ? rest_.size() : close + word.size());
        }
        return {};
    }
    std::string_view word() {
        std::size_t end = 1;
        while (end < rest_.size() && (is_word(rest_[end]) || rest_[end] == '$')) ++end;
        const std::string_view found = pass(end);
        if ((found == "E" || found == "e") && rest_.starts_with('\'')) {
            pass_quoted('\'', true);
            return {};
        }
        return found;
    }

    std::string_view rest_;
};

bool same(std::string_view word, std::string_view keyword) noexcept {
    return std::ranges::equal(word, keyword, {}, [](unsigned char c) { return std::toupper(c); });
}

SqlText::Verb verb_of(std::string_view word) noexcept {
    for (const char* keyword : {"SELECT", "VALUES", "TABLE"})
        if (same(word, keyword)) return SqlText::Verb::select;
    for (const char* keyword : {"INSERT", "UPDATE", "DELETE"})
        if (same(word, keyword)) return SqlText::Verb::change;
    return same(word, "WITH") ? SqlText::Verb::with : SqlText::Verb::other;
}

std::string_view without_end(std::string_view sql) {
    sql = trim(sql);
    while (sql.ends_with(';')) sql = trim(sql.substr(0, sql.size() - 1));
    return sql;
}

constexpr std::string_view refusal = "fermata rows ";

}  // namespace

SqlText::SqlText(std::string_view sql) : body(without_end(sql)) {
    Scanner scanner(body);
    std::string_view word = scanner.next();
    verb = verb_of(word);
    for (; !word.empty(); word = scanner.next()) {
        if (same(word, "RETURNING")) returning = true;
        if (!word.starts_with('$')) continue;
        const auto number = parse_int64(word.substr(1)).value_or(0);
        parameters = std::max(parameters, static_cast<std::size_t>(std::max<std::int64_t>(number, 0)));
    }
}

// The cast of a text that is no number is the one error a query can raise by itself with words of its own.
std::optional<std::string> fenced(std::string_view sql) {
    const SqlText text(sql);
    const bool answers = text.verb == SqlText::Verb::select || text.returning;
    if (text.verb != SqlText::Verb::select && text.verb != SqlText::Verb::change) return std::nullopt;
    const std::string check =
        fmt::format("CASE WHEN count(*) = ${}::bigint THEN count(*) ELSE CAST('{}' || count(*) AS bigint) END",
                    text.parameters + 1, refusal);
    if (!answers)
        return fmt::format("WITH fermata_command AS ({}\nRETURNING 1) SELECT {} FROM fermata_command", text.body,
                           check);
    // The check stands on the left, so that it is made also when there is no row at all.
    return fmt::format(
        "WITH fermata_command AS MATERIALIZED ({}\n), fermata_rows AS MATERIALIZED (SELECT {} AS n FROM "
        "fermata_command) SELECT fermata_command.* FROM fermata_rows LEFT JOIN fermata_command ON true "
        "WHERE fermata_rows.n >= 0",
        text.body, check);
}

// The column keeps the server from making the cast, which has no other operand, when it plans the statement.
std::string required(std::string_view condition, std::string_view column) {
    return fmt::format("CASE WHEN {} THEN 0 ELSE CAST('{}0 ' || {} AS bigint) END = 0", condition, refusal, column);
}

std::optional<std::int64_t> count_in_refusal(std::string_view message) {
    const std::size_t at = message.find(refusal);
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view number = message.substr(at + refusal.size());
    return parse_int64(number.substr(0, number.find_first_not_of("0123456789")));
}

}  // namespace fermata::postgres
