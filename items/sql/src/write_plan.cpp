#include "write_plan.hpp"

#include <fermata/base/text.hpp>

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <optional>

namespace fermata {
namespace {

bool same_letters(std::string_view a, std::string_view b) {
    const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::optional<std::size_t> find_name(const std::vector<std::string>& names, std::string_view wanted) {
    auto found = std::ranges::find(names, wanted);
    if (found == names.end())
        found = std::ranges::find_if(names, [&](const auto& name) { return same_letters(name, wanted); });
    if (found == names.end()) return std::nullopt;
    return static_cast<std::size_t>(found - names.begin());
}

std::vector<std::string> names_of(const std::vector<sql::Column>& columns) {
    std::vector<std::string> names;
    names.reserve(columns.size());
    for (const sql::Column& column : columns) names.push_back(column.name);
    return names;
}

std::vector<std::string> primary_key(const std::vector<sql::Column>& columns) {
    std::vector<std::pair<int, std::string>> places;
    for (const sql::Column& column : columns)
        if (column.key > 0) places.emplace_back(column.key, column.name);
    std::ranges::sort(places);
    std::vector<std::string> names;
    names.reserve(places.size());
    for (auto& [place, name] : places) names.push_back(std::move(name));
    return names;
}

bool fills_itself(const sql::Column& column) { return !column.not_null || column.has_default || column.generated; }

/// "schema.table", each part quoted.
std::string quoted_table(const sql::Connection& connection, const std::string& table) {
    const std::size_t dot = table.find('.');
    if (dot == std::string::npos) return connection.quote(table);
    return connection.quote(table.substr(0, dot)) + "." + connection.quote(table.substr(dot + 1));
}

class Planner {
public:
    Planner(sql::Connection& connection, const TableRules& rules, const Columns& record)
        : connection_(connection), rules_(rules), record_(record) {}

    WritePlan plan() {
        const std::vector<std::string> wanted = wanted_columns();
        table_ = table_columns(wanted);
        WritePlan plan;
        plan.target = {.table = rules_.table, .upsert = rules_.upsert};
        for (const std::string& name : wanted) add_column(plan, name);
        check_required(plan);
        if (rules_.upsert) plan.target.keys = upsert_keys(plan);
        return plan;
    }

private:
    std::vector<std::string> wanted_columns() const {
        if (rules_.columns.empty()) return record_.names();
        for (const std::string& name : rules_.columns)
            if (!find_name(record_.names(), name))
                throw Error(ErrorKind::refused,
                            fmt::format("column \"{}\" of sqlWriter is not in the records{}", name,
                                        did_you_mean(name, record_.names())),
                            fmt::format("the records have: {}", fmt::join(record_.names(), ", ")));
        return rules_.columns;
    }

    std::vector<sql::Column> table_columns(const std::vector<std::string>& wanted) const {
        auto columns = connection_.columns_of(rules_.table);
        if (columns.empty() && rules_.create) {
            create(wanted);
            columns = connection_.columns_of(rules_.table);
        }
        if (columns.empty())
            throw Error(ErrorKind::refused,
                        fmt::format("there is no table \"{}\"{}", rules_.table,
                                    did_you_mean(rules_.table, connection_.tables())),
                        R"(create it, or set create="true")");
        return columns;
    }

    /// Unless another partition has just made it: on a server that waits for its commit, and fails then.
    void create(const std::vector<std::string>& wanted) const {
        connection_.execute("SAVEPOINT fermata_create");
        try {
            connection_.execute(create_statement(wanted));
        } catch (const Error&) {
            connection_.execute("ROLLBACK TO SAVEPOINT fermata_create");
            if (connection_.columns_of(rules_.table).empty()) throw;
        }
        connection_.execute("RELEASE SAVEPOINT fermata_create");
    }

    std::string create_statement(const std::vector<std::string>& wanted) const {
        std::string statement = fmt::format("CREATE TABLE {} (", quoted_table(connection_, rules_.table));
        for (const std::string& name : wanted)
            statement += fmt::format("{}{} TEXT", &name == wanted.data() ? "" : ", ", connection_.quote(name));
        std::vector<std::string> keys;
        keys.reserve(rules_.keys.size());
        for (const std::string& key : rules_.keys) keys.push_back(connection_.quote(key));
        if (!keys.empty()) statement += fmt::format(", PRIMARY KEY ({})", fmt::join(keys, ", "));
        return statement + ")";
    }

    void add_column(WritePlan& plan, const std::string& name) const {
        const std::vector<std::string> names = names_of(table_);
        const auto place = find_name(names, name);
        if (!place)
            throw Error(ErrorKind::refused,
                        fmt::format(R"(table "{}" has no column "{}" for the records' column{})", rules_.table, name,
                                    did_you_mean(name, names)),
                        "rename or drop it before (map), or list in columns what is to be written");
        if (table_[*place].generated)
            throw Error(ErrorKind::refused,
                        fmt::format("column \"{}\" of table \"{}\" is GENERATED ALWAYS: the database itself gives it "
                                    "its value",
                                    names[*place], rules_.table),
                        "drop it before (map), or list in columns what is to be written");
        refuse_second(plan, names[*place], name);
        plan.target.columns.push_back(names[*place]);
        plan.sources.push_back(*find_name(record_.names(), name));
    }

    void refuse_second(const WritePlan& plan, const std::string& column, const std::string& name) const {
        const auto same = std::ranges::find(plan.target.columns, column);
        if (same == plan.target.columns.end()) return;
        const std::size_t first = plan.sources[static_cast<std::size_t>(same - plan.target.columns.begin())];
        throw Error(ErrorKind::refused,
                    fmt::format(R"(the records' columns "{}" and "{}" are both column "{}" of table "{}")",
                                record_.names()[first], name, column, rules_.table),
                    "rename or drop one before (map), or list in columns what is to be written");
    }

    void check_required(const WritePlan& plan) const {
        for (const sql::Column& column : table_) {
            if (fills_itself(column) || find_name(plan.target.columns, column.name)) continue;
            throw Error(ErrorKind::refused,
                        fmt::format("column \"{}\" of table \"{}\" must not be null and has no default, but the "
                                    "records do not give it",
                                    column.name, rules_.table),
                        "give it a value before (map), or a default in the table");
        }
    }

    std::vector<std::string> upsert_keys(const WritePlan& plan) const {
        const std::vector<std::string> wanted = rules_.keys.empty() ? primary_key(table_) : rules_.keys;
        if (wanted.empty())
            throw Error(ErrorKind::refused, fmt::format("table \"{}\" has no primary key to upsert by", rules_.table),
                        "name the columns of a unique key in keys");
        std::vector<std::string> keys;
        for (const std::string& key : wanted) {
            const auto place = find_name(plan.target.columns, key);
            if (!place)
                throw Error(ErrorKind::refused,
                            fmt::format(R"(key "{}" of table "{}" is not among the columns written{})", key,
                                        rules_.table, did_you_mean(key, plan.target.columns)),
                            fmt::format("written are: {}", fmt::join(plan.target.columns, ", ")));
            keys.push_back(plan.target.columns[*place]);
        }
        return keys;
    }

    sql::Connection& connection_;
    const TableRules& rules_;
    const Columns& record_;
    std::vector<sql::Column> table_;
};

}  // namespace

WritePlan plan_write(sql::Connection& connection, const TableRules& rules, const Columns& record) {
    return Planner(connection, rules, record).plan();
}

}  // namespace fermata
