#include "history.hpp"

#include <fmt/format.h>

#include <array>

namespace fermata::testing {
namespace {

struct Watched {
    Subject subject;
    std::string_view table;
    std::string_view row;  ///< expression over NEW
};
constexpr std::array watched = {
    Watched{Subject::job_execution, "job_execution", "NEW.id"},
    Watched{Subject::step_execution, "step_execution", "NEW.id"},
    Watched{Subject::partition_execution, "partition_execution", "NEW.step_execution_id * 1048576 + NEW.partition"},
};

Subject subject_of(const std::string& table) {
    for (const Watched& each : watched)
        if (each.table == table) return each.subject;
    throw std::logic_error(table);
}

std::string insertion(const Watched& what, std::string_view was) {
    return fmt::format("INSERT INTO status_change (subject, row_id, was, became) VALUES ('{}', {}, {}, NEW.status);",
                       what.table, what.row, was);
}

std::string trigger(const sql::Dialect& dialect, const Watched& what, std::string_view event, std::string_view was,
                    std::string_view when) {
    const std::string name = fmt::format("watch_{}_{}", what.table, event);
    const std::string head =
        fmt::format("CREATE TRIGGER {} AFTER {} ON {} FOR EACH ROW {} ", name, event, what.table, when);
    if (dialect.engine == "sqlite") return fmt::format("{}BEGIN {} END;\n", head, insertion(what, was));
    return fmt::format(
        "CREATE FUNCTION {0}() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN {1} RETURN NULL; END$$;\n"
        "{2}EXECUTE FUNCTION {0}();\n",
        name, insertion(what, was), head);
}

}  // namespace

void watch_statuses(sql::Connection& connection, const sql::Dialect& dialect) {
    std::string script = fmt::format(
        "CREATE TABLE status_change (id {}, subject TEXT NOT NULL, row_id BIGINT NOT NULL, was TEXT, became TEXT NOT "
        "NULL);\nCREATE INDEX status_change_row ON status_change (row_id, subject, id);\n",
        dialect.auto_id);
    for (const Watched& each : watched) {
        script += trigger(dialect, each, "INSERT", "NULL", "");
        script += trigger(dialect, each, "UPDATE", "OLD.status", "WHEN (OLD.status <> NEW.status)");
    }
    connection.execute_script(script);
}

std::int64_t newest_change(sql::Connection& connection, std::int64_t execution) {
    return connection
        .execute("SELECT COALESCE(MAX(id), 0) FROM status_change WHERE row_id = $1 AND subject = 'job_execution'",
                 {execution})[0][0]
        .integer();
}

History::History(sql::Connection& connection) {
    const sql::Result all =
        connection.execute("SELECT id, subject, row_id, was, became FROM status_change ORDER BY id");
    for (std::size_t i = 0; i < all.size(); ++i) {
        const auto row = all[i];
        Change change{.number = row[0].integer(), .from = {}, .to = parse_batch_status(row[4].text()).value()};
        if (!row[3].is_null()) change.from = parse_batch_status(row[3].text());
        const std::string table(row[1].text());
        if (!change.from && table == "job_execution") ++executions_;
        rows_[{table, row[2].integer()}].push_back(change);
    }
}

const std::vector<Change>& History::of_execution(std::int64_t execution) const {
    static const std::vector<Change> none;
    const auto found = rows_.find({"job_execution", execution});
    return found == rows_.end() ? none : found->second;
}

std::set<BatchStatus> History::statuses(std::int64_t execution, std::int64_t after, std::int64_t until) const {
    std::set<BatchStatus> found;
    for (const Change& change : of_execution(execution)) {
        if (change.number > until) break;
        if (change.number <= after) found.clear();
        found.insert(change.to);
    }
    return found;
}

std::vector<std::string> History::illegal() const {
    std::vector<std::string> found;
    for (const auto& [key, changes] : rows_) {
        std::optional<BatchStatus> before;
        for (const Change& change : changes) {
            const bool follows = change.from == before;
            const bool legal = !change.from || is_legal(subject_of(key.first), *change.from, change.to);
            if (!follows || !legal)
                found.push_back(fmt::format("{} {}: {} to {}, {}", key.first, key.second,
                                            change.from ? to_string(*change.from) : "nothing", to_string(change.to),
                                            follows ? "which no table allows" : "but it was something else"));
            before = change.to;
        }
    }
    return found;
}

std::size_t History::changes() const {
    std::size_t count = 0;
    for (const auto& [key, changes] : rows_) count += changes.size();
    return count;
}

}  // namespace fermata::testing
