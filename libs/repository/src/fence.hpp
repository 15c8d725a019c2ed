#pragma once
// The conditional updates that only the present owner can make.
#include "impl.hpp"
#include "rows.hpp"

namespace fermata {

/// Condition: the owner of the epoch $2 has the execution $1 in his hands. Not IN: for three and more SQLite makes a
/// table of them each time.
inline constexpr std::string_view is_the_owners =
    "id = $1 AND epoch = $2 AND (status = 'STARTED' OR status = 'STOPPING' OR status = 'PAUSING')";
/// The same of one that may still begin.
inline constexpr std::string_view may_be_ended =
    "id = $1 AND epoch = $2 AND (status = 'STARTED' OR status = 'STARTING' OR status = 'STOPPING' OR status = "
    "'PAUSING')";

/// Locks the execution's row for its owner; must change one row.
[[nodiscard]] inline sql::Command fence(const Claim& claim, Timestamp now) {
    static const std::string sql = fmt::format("UPDATE job_execution SET updated = $3 WHERE {}", is_the_owners);
    return {sql, {Value(claim.execution.value()), Value(claim.epoch), cell(now)}, 1};
}

/// Before a look at what became of a verb: locks the execution's row. The owner of a partition may do so, too, whoever
/// owns the execution by now.
inline void lock_for_owner(StoreWrite& look, const Claim& claim) {
    if (claim.owns_execution())
        look->execute(fence(claim, look.now()));
    else
        look.lock("job_execution", claim.execution.value());
}

inline constexpr std::string_view request_columns = "status, stop_now, pause_now, pauses, cuts";

/// What is asked of the owner, as read_requests() reads it. A statement of its own: RETURNING makes SQLite open a
/// temporary table. The row is there: history is deleted by whole instances that have ended.
[[nodiscard]] inline sql::Command ask(const Claim& claim) {
    static const std::string sql = fmt::format("SELECT {} FROM job_execution WHERE id = $1", request_columns);
    return {sql, {Value(claim.execution.value())}};
}

/// Reads `request_columns` of the execution's row.
[[nodiscard]] inline Requests read_requests(RowReader& row) {
    Requests requests;
    requests.status = row.status();
    requests.stop_now = row.flag();
    requests.pause_now = row.flag();
    requests.pauses = row.integer();
    requests.cuts = row.integer();
    return requests;
}
[[nodiscard]] inline Requests requests_in(const sql::Result& asked) {
    RowReader row(asked[0]);
    return read_requests(row);
}

/// Whether a query, for a verdict, finds a row.
[[nodiscard]] inline bool exists(sql::Connection& connection, std::string_view sql, const sql::Params& params) {
    return !connection.execute(sql, params).empty();
}

/// Runs an owner's verb; a fence that changed nothing means somebody else owns the execution now.
template <class F>
auto as_owner(const Claim& claim, F&& verb) {
    try {
        return verb();
    } catch (const sql::RowCountError&) {
        throw Error(
            ErrorKind::stale,
            fmt::format("{} {} is no longer owned here: its epoch {}was overtaken or it has ended",
                        claim.owns_execution() ? "execution" : "a partition of execution", claim.execution.value(),
                        claim.owns_execution() ? std::to_string(claim.epoch) + " " : ""),
            "nothing was written; fermata show tells who owns it now");
    }
}

}  // namespace fermata
