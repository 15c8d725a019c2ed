#pragma once
// Every status that every execution, step and partition has had, as triggers of the test's own have seen it: beside the
// store's word for it, and whoever wrote it. The rows of one execution are changed under its lock, so their order is
// the one in which they were committed.
#include <fermata/model/status.hpp>
#include <fermata/sql/sql.hpp>

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace fermata::testing {

struct Change {
    std::int64_t number = 0;          ///< rises
    std::optional<BatchStatus> from;  ///< nothing: the row is new
    BatchStatus to{};
};

/// Makes the table and its triggers. REQUIRES: the schema is there.
void watch_statuses(sql::Connection& connection, const sql::Dialect& dialect);
/// Of the newest change of the execution so far; 0 if there is none.
[[nodiscard]] std::int64_t newest_change(sql::Connection& connection, std::int64_t execution);

class History {
public:
    explicit History(sql::Connection& connection);

    [[nodiscard]] const std::vector<Change>& of_execution(std::int64_t execution) const;
    /// What it was right after change `after`, and whatever it became until change `until`.
    [[nodiscard]] std::set<BatchStatus> statuses(std::int64_t execution, std::int64_t after, std::int64_t until) const;
    /// Changes that are not in the table of legal ones, or do not begin where the one before has ended.
    [[nodiscard]] std::vector<std::string> illegal() const;
    [[nodiscard]] std::size_t changes() const;
    [[nodiscard]] std::size_t executions() const { return executions_; }

private:
    std::map<std::pair<std::string, std::int64_t>, std::vector<Change>> rows_;  ///< by table and row
    std::size_t executions_ = 0;
};

}  // namespace fermata::testing
