#include "integrity.hpp"

#include <fmt/format.h>

namespace fermata::postgres {

namespace {

std::vector<std::string> texts(sql::Connection& connection, std::string_view sql) {
    std::vector<std::string> found;
    const sql::Result rows = connection.execute(sql);
    for (std::size_t i = 0; i < rows.size(); ++i) found.emplace_back(rows[i][0].text());
    return found;
}

/// A failure of `sql` is a finding, unless it is the connection's.
void probe(sql::Connection& connection, const std::string& sql, std::vector<std::string>& wrong) {
    try {
        (void)connection.execute(sql);
    } catch (const sql::SqlError& error) {
        if (error.is_transient()) throw;
        wrong.emplace_back(error.what());
    }
}

constexpr std::string_view tables =
    "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
    "WHERE c.relkind = 'r' AND n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema' AND "
    "pg_table_is_visible(c.oid) ORDER BY 1";

constexpr std::string_view b_trees =
    "SELECT format('SELECT %s.bt_index_check(%s::regclass)', x.extnamespace::regnamespace, "
    "quote_literal(c.oid::regclass)) FROM pg_extension x, pg_class c JOIN pg_am a ON a.oid = c.relam "
    "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE x.extname = 'amcheck' AND c.relkind = 'i' AND "
    "a.amname = 'btree' AND n.nspname NOT LIKE 'pg\\_%' AND pg_table_is_visible(c.oid) ORDER BY 1";

constexpr std::string_view rules_off =
    "SELECT 'index ' || i.indexrelid::regclass || ' is not valid: REINDEX it' FROM pg_index i WHERE NOT i.indisvalid "
    "AND pg_table_is_visible(i.indexrelid) UNION ALL "
    "SELECT 'constraint ' || k.conname || ' of table ' || k.conrelid::regclass || ' was never checked: VALIDATE it' "
    "FROM pg_constraint k WHERE NOT k.convalidated AND pg_table_is_visible(k.conrelid) UNION ALL "
    "SELECT 'trigger ' || t.tgname || ' of table ' || t.tgrelid::regclass || ' is disabled: ENABLE it' "
    "FROM pg_trigger t WHERE t.tgenabled = 'D' AND pg_table_is_visible(t.tgrelid)";

}  // namespace

std::vector<std::string> check_integrity(sql::Connection& connection) {
    std::vector<std::string> wrong;
    for (const std::string& table : texts(connection, tables))
        probe(connection, fmt::format("SELECT count(*) FROM {}", table), wrong);
    for (const std::string& check : texts(connection, b_trees)) probe(connection, check, wrong);
    for (const std::string& rule : texts(connection, rules_off)) wrong.push_back(rule);
    return wrong;
}

}  // namespace fermata::postgres
