#include <fermata/base/text.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fermata::sql {
namespace {

std::string quoted(std::string_view text, char quote) {
    std::string result(1, quote);
    for (const char c : text) {
        result += c;
        if (c == quote) result += c;
    }
    return result + quote;
}

}  // namespace

std::string quote_text(std::string_view text) { return quoted(text, '\''); }
std::string quote_identifier(std::string_view identifier) { return quoted(identifier, '"'); }

std::string quote_table(std::string_view table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string_view::npos) return quote_identifier(table);
    return quote_identifier(table.substr(0, dot)) + '.' + quote_identifier(table.substr(dot + 1));
}

std::string quoted_list(std::span<const std::string> names) {
    std::vector<std::string> quoted;
    for (const auto& name : names) quoted.push_back(quote_identifier(name));
    return fmt::format("{}", fmt::join(quoted, ", "));
}

std::string conflict_clause(const BulkTarget& target) {
    if (!target.upsert) return {};
    std::vector<std::string> updates;
    for (const auto& column : target.columns) {
        if (std::ranges::find(target.keys, column) != target.keys.end()) continue;
        updates.push_back(fmt::format("{0} = excluded.{0}", quote_identifier(column)));
    }
    const std::string keys = quoted_list(target.keys);
    if (updates.empty()) return fmt::format(" ON CONFLICT ({}) DO NOTHING", keys);
    return fmt::format(" ON CONFLICT ({}) DO UPDATE SET {}", keys, fmt::join(updates, ", "));
}

void refuse_target(std::string_view database, const BulkTarget& target, const std::string& why) {
    throw Error(ErrorKind::refused, fmt::format("{}: table \"{}\": {}", database, target.table, why));
}

void check_keys(std::string_view database, const BulkTarget& target) {
    if (target.columns.empty()) refuse_target(database, target, "no columns to write are given");
    if (!target.upsert) return;
    if (target.keys.empty()) refuse_target(database, target, "no keys to update by are given");
    for (const auto& key : target.keys) {
        if (std::ranges::find(target.columns, key) == target.columns.end())
            refuse_target(database, target,
                          fmt::format("key \"{}\" is not among the columns{}", key, did_you_mean(key, target.columns)));
    }
}

std::vector<std::size_t> places_of(Connection& connection, std::string_view database, const BulkTarget& target,
                                   std::span<const std::string> present) {
    if (present.empty())
        throw Error(ErrorKind::refused, fmt::format("{}: there is no table \"{}\"{}", database, target.table,
                                                    did_you_mean(target.table, connection.tables())));
    std::vector<std::size_t> places;
    places.reserve(target.columns.size());
    for (const std::string& name : target.columns) {
        const auto found = std::ranges::find(present, name);
        if (found == present.end())
            refuse_target(database, target,
                          fmt::format("there is no column \"{}\"{}", name, did_you_mean(name, present)));
        places.push_back(static_cast<std::size_t>(found - present.begin()));
    }
    return places;
}

}  // namespace fermata::sql
