#include "named_parameters.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/core.h>

#include <algorithm>
#include <cctype>

namespace fermata {
namespace {

bool begins_name(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool continues_name(char c) { return begins_name(c) || (c >= '0' && c <= '9'); }

/// PostgreSQL's $$…$$ and $tag$…$tag$; empty if none begins there.
std::string_view dollar_quote(std::string_view sql) {
    if (!sql.starts_with('$')) return {};
    std::size_t end = 1;
    if (end < sql.size() && begins_name(sql[end]))
        while (end < sql.size() && continues_name(sql[end])) ++end;
    return end < sql.size() && sql[end] == '$' ? sql.substr(0, end + 1) : std::string_view();
}

/// PostgreSQL's E'…', in which a backslash or another quote hides a quote: the position behind it.
std::size_t skip_escaped(std::string_view sql, std::size_t at) {
    for (at += 2; at < sql.size(); ++at) {
        const bool hides = sql[at] == '\\' || sql.substr(at, 2) == "''";
        if (!hides && sql[at] == '\'') return at + 1;
        if (hides) ++at;
    }
    return sql.size();
}

/// The position behind the quoted text or comment that begins at `at`; `at` itself if none does. One that is not closed
/// ends with the text; the engine will say so.
std::size_t skip_opaque(std::string_view sql, std::size_t at) {
    const auto behind = [&](std::string_view end, std::size_t from) {
        const std::size_t found = sql.find(end, from);
        return found == std::string_view::npos ? sql.size() : found + end.size();
    };
    const std::string_view rest = sql.substr(at);
    // A doubled quote is the end of one quoted text and the beginning of the next.
    if (rest.starts_with('\'') || rest.starts_with('"') || rest.starts_with('`'))
        return behind(rest.substr(0, 1), at + 1);
    const bool in_name = at > 0 && continues_name(sql[at - 1]);
    if (!in_name && (rest.starts_with("E'") || rest.starts_with("e'"))) return skip_escaped(sql, at);
    const std::string_view dollars = in_name ? std::string_view() : dollar_quote(rest);
    if (!dollars.empty()) return behind(dollars, at + dollars.size());
    if (rest.starts_with("--")) return behind("\n", at);
    if (rest.starts_with("/*")) return behind("*/", at + 2);
    return at;
}

std::string_view name_at(std::string_view sql, std::size_t at) {
    if (at == sql.size() || !begins_name(sql[at])) return {};
    std::size_t end = at;
    while (end < sql.size() && continues_name(sql[end])) ++end;
    return sql.substr(at, end - at);
}

/// Puts numbers in the place of names.
class Binder {
public:
    explicit Binder(std::string_view text) {
        for (std::size_t at = 0; at < text.size();) at = take(text, at);
    }
    std::string sql;                 ///< with $1…$n
    std::vector<std::string> names;  ///< of $1…$n

private:
    std::size_t take(std::string_view text, std::size_t at) {
        const std::size_t opaque = skip_opaque(text, at);
        if (opaque > at) return copy(text, at, opaque);
        if (text.substr(at, 2) == "::") return copy(text, at, at + 2);
        const std::string_view name = text[at] == ':' ? name_at(text, at + 1) : std::string_view();
        if (name.empty()) return copy(text, at, at + 1);
        sql += fmt::format("${}", number_of(name));
        return at + 1 + name.size();
    }
    std::size_t copy(std::string_view text, std::size_t begin, std::size_t end) {
        sql += text.substr(begin, end - begin);
        return end;
    }
    std::size_t number_of(std::string_view name) {
        const auto found = std::ranges::find(names, name);
        if (found != names.end()) return static_cast<std::size_t>(found - names.begin()) + 1;
        names.emplace_back(name);
        return names.size();
    }
};

const std::string& value_of(const std::string& name, const Parameters& parameters) {
    const auto found = parameters.find(name);
    if (found != parameters.end()) return found->second;
    std::vector<std::string> known;
    for (const auto& [given, value] : parameters) known.push_back(given);
    throw Error(ErrorKind::invalid,
                fmt::format("\":{}\" in sql names no parameter of the job{}", name, did_you_mean(name, known)),
                fmt::format("give it with -p {}=…, or quote it if it is no parameter", name));
}

}  // namespace

std::vector<std::string> names_in(std::string_view sql) { return Binder(sql).names; }

std::vector<std::string> names_in_sql(const Properties& properties) {
    return names_in(properties.get<std::string>("sql", ""));
}

BoundSql bind_names(std::string_view sql, const Parameters& parameters) {
    Binder binder(sql);
    BoundSql bound{.sql = std::move(binder.sql), .values = {}};
    for (const std::string& name : binder.names) bound.values.push_back(value_of(name, parameters));
    return bound;
}

std::vector<std::string> words_of(std::string_view statement) {
    std::vector<std::string> words;
    for (std::size_t at = 0; at < statement.size();) {
        const std::size_t opaque = skip_opaque(statement, at);
        const std::string_view word = opaque == at ? name_at(statement, at) : std::string_view();
        at = std::max(opaque, at + std::max<std::size_t>(word.size(), 1));
        if (word.empty()) continue;
        std::string& upper = words.emplace_back(word);
        std::ranges::transform(upper, upper.begin(),
                               [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
    }
    return words;
}

std::vector<std::string_view> split_statements(std::string_view script) {
    std::vector<std::string_view> statements;
    std::size_t begin = 0;
    const auto end_statement = [&](std::size_t end) {
        const std::string_view statement = trim(script.substr(begin, end - begin));
        if (!statement.empty()) statements.push_back(statement);
        begin = end + 1;
    };
    for (std::size_t at = 0; at < script.size();) {
        const std::size_t opaque = skip_opaque(script, at);
        if (opaque == at && script[at] == ';') end_statement(at);
        at = std::max(opaque, at + 1);
    }
    end_statement(script.size());
    return statements;
}

}  // namespace fermata
