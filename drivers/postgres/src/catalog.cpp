#include "catalog.hpp"

#include "types.hpp"

#include <fermata/base/text.hpp>
#include <fermata/sql/standard_sql.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace fermata::postgres {

namespace {

sql::ColumnType column_type(Oid type) noexcept {
    if (is_text(type)) return sql::ColumnType::text;
    switch (type) {
        case type::int2:
        case type::int4:
        case type::int8:
            return sql::ColumnType::integer;
        case type::float4:
        case type::float8:
            return sql::ColumnType::real;
        case type::boolean:
            return sql::ColumnType::boolean;
        case type::bytes:
            return sql::ColumnType::bytes;
        default:
            return sql::ColumnType::any;
    }
}

std::string text_of(const Value& value) { return std::string(value.text()); }

}  // namespace

std::vector<sql::Column> columns_of(sql::Connection& connection, std::string_view table) {
    const std::string quoted = sql::quote_table(table);
    const sql::Result rows = connection.execute(
        "SELECT a.attname, a.atttypid::bigint, format_type(a.atttypid, a.atttypmod), a.attnotnull, "
        "a.atthasdef OR a.attidentity <> '', a.attidentity = 'a' OR a.attgenerated <> '', "
        "COALESCE(array_position((SELECT i.indkey::int2[] FROM pg_index i WHERE i.indrelid = a.attrelid AND "
        "i.indisprimary), a.attnum), -1) "
        "FROM pg_attribute a WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped "
        "ORDER BY a.attnum",
        {std::string_view(quoted)});
    std::vector<sql::Column> columns;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        columns.push_back({.name = text_of(row[0]),
                           .type = column_type(static_cast<Oid>(row[1].integer())),
                           .declared = text_of(row[2]),
                           .not_null = row[3].boolean(),
                           .has_default = row[4].boolean(),
                           .generated = row[5].boolean(),
                           .key = static_cast<int>(row[6].integer()) + 1});
    }
    return columns;
}

void refuse_closed_schema(sql::Connection& connection, std::string_view database) {
    const sql::Result first = connection.execute(
        "SELECT n.nspname::text, current_user::text, has_schema_privilege(n.oid, 'USAGE') "
        "FROM unnest(string_to_array(current_setting('search_path'), ',')) WITH ORDINALITY AS p (entry, place) "
        "JOIN pg_namespace n ON n.nspname::text = CASE WHEN btrim(entry) IN ('\"$user\"', '$user') "
        "THEN current_user::text WHEN btrim(entry) LIKE '\"%' THEN replace(btrim(btrim(entry), '\"'), '\"\"', '\"') "
        "ELSE lower(btrim(entry)) END ORDER BY p.place LIMIT 1");
    if (first.empty() || first[0][2].boolean()) return;
    const std::string schema = text_of(first[0][0]);
    const std::string role = text_of(first[0][1]);
    throw Error(ErrorKind::forbidden,
                fmt::format("{}: role \"{}\" may not use the schema \"{}\", the first of its search path", database,
                            printable(role), printable(schema)),
                fmt::format("have it granted: GRANT USAGE ON SCHEMA {} TO {}", printable(sql::quote_identifier(schema)),
                            printable(sql::quote_identifier(role))));
}

std::vector<std::string> tables_of(sql::Connection& connection) {
    const sql::Result rows = connection.execute(
        "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p') "
        "AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND pg_table_is_visible(c.oid) "
        "ORDER BY c.relname COLLATE \"C\"");
    std::vector<std::string> names;
    names.reserve(rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) names.push_back(text_of(rows[i][0]));
    return names;
}

Target target_of(sql::Connection& connection, std::string_view table) {
    const std::string quoted = sql::quote_table(table);
    const sql::Result rows = connection.execute(
        "SELECT a.attname, b.oid::bigint, quote_ident(n.nspname) || '.' || quote_ident(t.typname), "
        "format_type(a.atttypid, a.atttypmod), a.attidentity = 'a' OR a.attgenerated <> '', "
        "c.relkind IN ('r', 'p') AND NOT c.relrowsecurity AND t.typtype <> 'd' "
        "FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid "
        "JOIN pg_namespace n ON n.oid = t.typnamespace "
        "JOIN pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END "
        "WHERE a.attrelid = to_regclass($1) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum",
        {std::string_view(quoted)});
    Target target{.columns = {}, .copyable = true};
    for (std::size_t i = 0; i < rows.size(); ++i) {
        const auto row = rows[i];
        target.columns.push_back({.name = text_of(row[0]),
                                  .type = static_cast<Oid>(row[1].integer()),
                                  .cast = text_of(row[2]),
                                  .declared = text_of(row[3]),
                                  .generated = row[4].boolean()});
        target.copyable = target.copyable && row[5].boolean();
    }
    return target;
}

bool is_unique_key(sql::Connection& connection, std::string_view table, std::vector<std::string> columns) {
    const std::string quoted = sql::quote_table(table);
    const sql::Result rows = connection.execute(
        "SELECT i.indexrelid::bigint, a.attname FROM pg_index i, "
        "unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place), pg_attribute a "
        "WHERE i.indrelid = to_regclass($1) AND i.indisunique AND i.indisvalid AND i.indimmediate AND "
        "i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts AND a.attrelid = i.indrelid AND "
        "a.attnum = k.attnum",
        {std::string_view(quoted)});
    std::map<std::int64_t, std::vector<std::string>> keys;
    for (std::size_t i = 0; i < rows.size(); ++i) keys[rows[i][0].integer()].push_back(text_of(rows[i][1]));
    std::ranges::sort(columns);
    return std::ranges::any_of(keys, [&](auto& key) {
        std::ranges::sort(key.second);
        return key.second == columns;
    });
}

}  // namespace fermata::postgres
