#pragma once
// The truth about a step whose T1 sink is not the repository's database: one row of `fermata_sink` in the sink, keyed
// by (instance UUID, step, partition). A chunk commits there and nowhere else, in one transaction with its rows.
#include <fermata/model/records.hpp>
#include <fermata/sql/sql.hpp>

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fermata {

struct SinkKey {
    std::string instance_uuid;
    std::string step;
    std::int64_t partition = 0;
};

/// What the sink knows of a step or partition: as the last chunk of `step_execution` left it.
struct SinkRow {
    StepExecutionId step_execution;
    std::int64_t partition = 0;
    Progress progress;
};

class SinkTable {
public:
    /// `table` as the writer's Sink says. Creates it in a transaction of its own if absent; without the right to,
    /// throws Error(refused) whose remedy is the SQL to run.
    SinkTable(sql::Connection& connection, const sql::Dialect& dialect, std::string table, SinkKey key);

    /// Claims the row for `epoch`, in one transaction, and answers the progress it holds; a first entry inserts it.
    /// `copy` is what the repository knows. Throws Error(stale) if a higher epoch is there; Error(refused), with both
    /// values and the remedy `restart --accept-sink`, if the copy is ahead of the sink or the row is gone after a
    /// commit. `accept` takes the sink's word in both cases: what it holds gets a sequence one above the copy's.
    /// `generation` newer than the row's starts from nothing.
    /// Metrics and exit status are the copy's when the row was written by another StepExecution.
    Progress open(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy, bool accept);
    /// To be the last command of the chunk's transaction: fenced by epoch and sequence (one more than the
    /// row's), exactly one row. Borrows from `*this` until the next call.
    [[nodiscard]] sql::Command save(std::int64_t epoch, const Progress& next);
    /// After a lost connection: whether the row holds `progress`, as it is when a commit still under way has ended. The
    /// row then names the present session. Waits for a database that is out of reach, up to 30 s; throws Error(stale)
    /// if a higher epoch is there.
    [[nodiscard]] bool holds(std::int64_t epoch, const Progress& progress);
    /// As open() found it; nothing before that, and if it was the first entry.
    [[nodiscard]] const std::optional<SinkRow>& former() const noexcept { return former_; }
    /// All rows of an instance; none if there is no such table.
    [[nodiscard]] static std::vector<SinkRow> rows_of(sql::Connection& connection, const std::string& table,
                                                      const std::string& instance_uuid);
    /// For purge: deletes the rows of these instances in one transaction and answers how many there were.
    static std::int64_t remove(sql::Connection& connection, const std::string& table,
                               std::span<const std::string> instance_uuids);
    [[nodiscard]] static std::string create_sql(const sql::Dialect& dialect, const std::string& table);

private:
    Progress try_open(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy, bool accept);
    std::optional<Progress> claim(std::int64_t epoch, StepExecutionId step_execution, const Progress& copy);
    [[noreturn]] void refuse_behind(const std::optional<Progress>& committed, const Progress& copy) const;
    [[nodiscard]] std::string describe() const;
    [[nodiscard]] std::string insert_sql() const;
    [[nodiscard]] std::string restore_sql() const;

    sql::Connection& connection_;
    const sql::Dialect& dialect_;
    std::string table_;
    SinkKey key_;
    std::optional<SinkRow> former_;
    std::string save_sql_;
    std::string encoded_;
};

}  // namespace fermata
