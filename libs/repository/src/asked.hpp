#pragma once
// What is asked of an execution's owner, and the version of the execution's row in which it stood: as long as that is
// the row's version, nothing else is asked.
#include "fence.hpp"

#include <array>

namespace fermata {

struct Asked {
    Requests requests;
    std::array<std::string, 2> version;  ///< Dialect::row_version; empty where there is none

    [[nodiscard]] bool has_version() const noexcept { return !version[0].empty(); }
};

/// As ask(), for asked_in().
[[nodiscard]] inline sql::Command ask_anew(const Claim& claim, const sql::Dialect& dialect) {
    if (dialect.row_version[0].empty()) return ask(claim);
    static const std::string sql = fmt::format("SELECT {}, {}, {} FROM job_execution WHERE id = $1", request_columns,
                                               dialect.row_version[0], dialect.row_version[1]);
    return {sql, {Value(claim.execution.value())}};
}
[[nodiscard]] inline Asked asked_in(const sql::Result& answer, const sql::Dialect& dialect) {
    RowReader row(answer[0]);
    Asked asked{.requests = read_requests(row), .version = {}};
    if (!dialect.row_version[0].empty())
        for (std::string& part : asked.version) part = row.text();
    return asked;
}

/// For is_same_in(): found at once, and cheaper to answer. Fails with RowCountError if the execution is gone, purged
/// together with its steps. REQUIRES: has_version(). Borrows.
[[nodiscard]] inline sql::Command ask_whether_same(const Asked& asked, const Claim& claim,
                                                   const sql::Dialect& dialect) {
    static const std::string sql = fmt::format(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM job_execution WHERE {} = $1 AND {} = $2) THEN 1 ELSE (SELECT CASE WHEN "
        "{} THEN 0 END FROM job_execution WHERE id = $3) END",
        dialect.row_version[0], dialect.row_version[1], dialect.required("count(*) = 1", "count(*)"));
    return {sql, {cell(asked.version[0]), cell(asked.version[1]), Value(claim.execution.value())}};
}
[[nodiscard]] inline bool is_same_in(const sql::Result& answer) { return answer[0][0].integer() == 1; }

}  // namespace fermata
