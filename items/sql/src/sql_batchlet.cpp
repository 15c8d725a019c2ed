#include "sql_batchlet.hpp"

#include "named_parameters.hpp"
#include "sql_url.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>
#include <vector>

namespace fermata {
namespace {

/// Lets stop() reach the connection while it lives.
class Reachable {
public:
    Reachable(Sync<sql::Connection*>& place, sql::Connection& connection) : place_(place) {
        *place_.lock() = &connection;
    }
    Reachable(const Reachable&) = delete;
    Reachable& operator=(const Reachable&) = delete;
    ~Reachable() { *place_.lock() = nullptr; }

private:
    Sync<sql::Connection*>& place_;
};

bool holds(const std::vector<std::string>& words, std::string_view word) {
    return std::ranges::find(words, word) != words.end();
}

bool ends_or_begins_transaction(const std::vector<std::string>& words) {
    static constexpr std::array<std::string_view, 5> always{"COMMIT", "END", "ABORT", "BEGIN", "START"};
    if (words.empty()) return false;
    const std::string& first = words.front();
    return std::ranges::find(always, first) != always.end() || (first == "ROLLBACK" && !holds(words, "TO")) ||
           (first == "PREPARE" && words.size() > 1 && words[1] == "TRANSACTION");
}

/// CREATE … TRIGGER … BEGIN: what follows, up to an END, is its body.
bool opens_body(const std::vector<std::string>& words) {
    if (words.empty() || words.front() != "CREATE" || !holds(words, "BEGIN")) return false;
    return holds(words, "TRIGGER") || holds(words, "FUNCTION") || holds(words, "PROCEDURE");
}

/// Nothing if there is none.
std::optional<std::string_view> transaction_statement(const std::vector<std::string_view>& statements) {
    bool in_body = false;
    for (const std::string_view statement : statements) {
        const std::vector<std::string> words = words_of(statement);
        if (!in_body && ends_or_begins_transaction(words)) return statement;
        in_body = in_body ? words.empty() || words.front() != "END" : opens_body(words);
    }
    return std::nullopt;
}

std::string read_script(const Properties& properties) {
    auto script = properties.require<std::string>("sql");
    const auto statements = split_statements(script);
    if (statements.empty()) throw properties.wrong("sql", "holds no statement");
    if (const auto found = transaction_statement(statements))
        throw properties.wrong(
            "sql",
            fmt::format("\"{}\": the statements are one transaction already, of all or nothing", printable(*found, 40)),
            "leave it out, or use a step for each transaction");
    return script;
}

}  // namespace

SqlBatchlet::SqlBatchlet(const ArtifactContext& context)
    : step_(*context.step),
      url_(context.properties.get<std::string>("url", "")),
      script_(read_script(context.properties)) {}

std::string SqlBatchlet::process() {
    const auto database = step_.drivers->open(database_or_repository(step_, url_));
    const auto connection = database->connect(sql::OpenMode::create);
    const Reachable reachable(running_, *connection);
    try {
        return run(*connection) ? "COMPLETED" : "STOPPED";
    } catch (const sql::SqlError&) {
        if (stopping_) return "STOPPED";  // interrupted by stop()
        throw;
    }
}

void SqlBatchlet::stop() {
    stopping_ = true;
    const auto connection = running_.lock();
    if (*connection != nullptr) (*connection)->interrupt();
}

bool SqlBatchlet::run(sql::Connection& connection) {
    sql::Transaction transaction(connection);
    if (!run_statements(connection)) return false;
    transaction.commit();
    return true;
}

bool SqlBatchlet::run_statements(sql::Connection& connection) {
    const BoundSql whole = bind_names(script_, step_.job->parameters);
    if (whole.values.empty()) {
        // The engine itself knows best where statements end (bodies of triggers and functions).
        if (!stopping_) connection.execute_script(script_);
        return !stopping_;
    }
    for (const std::string_view statement : split_statements(script_)) {
        if (stopping_) return false;
        const BoundSql bound = bind_names(statement, step_.job->parameters);
        connection.execute(bound.sql, bound.params());
    }
    return !stopping_;
}

std::vector<PropertyRule> SqlBatchlet::rules() { return {check_url, read_script}; }

ArtifactInfo SqlBatchlet::info() {
    ArtifactInfo info;
    info.about = "Runs SQL statements in one transaction: all of them or none";
    info.properties = {url_info(),
                       {.name = "sql",
                        .type = "SQL",
                        .required = true,
                        .about = "Statements, separated by semicolons; :name binds the job parameter of that name"}};
    info.example = R"(<batchlet ref="sql">
  <properties>
    <property name="url" value="sqlite:registry.db"/>
    <property name="sql" value="DELETE FROM vendor WHERE imported &lt; :day"/>
  </properties>
</batchlet>)";
    return info;
}

}  // namespace fermata
