// Which other databases hold the truth about an instance's steps, and what they know better than our copy.
#include "fence.hpp"
#include "progress.hpp"

#include <algorithm>

namespace fermata {
namespace {

bool is_recorded(const std::vector<SinkAddress>& sinks, const SinkAddress& sink) {
    return std::find(sinks.begin(), sinks.end(), sink) != sinks.end();
}

// Every other counter changes with a commit only; a rollback after the last one stands in the copy alone.
constexpr std::string_view better_counts =
    "read = $2, written = $3, filtered = $4, read_skips = $5, process_skips = $6, write_skips = $7, commits = $8, "
    "rollbacks = CASE WHEN rollbacks > $9 THEN rollbacks ELSE $9 END";

sql::Command settle(const std::string& sql, StepExecutionId step, const Metrics& metrics) {
    sql::Command command{sql, {Value(step.value())}};
    append_metrics(command.params, metrics);
    return command;
}

}  // namespace

std::vector<SinkAddress> Repository::sinks_of(JobInstanceId instance) {
    const sql::Result rows =
        impl_->select("SELECT url, sink_table FROM instance_sink WHERE instance_id = $1", {Value(instance.value())});
    std::vector<SinkAddress> sinks;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        SinkAddress& sink = sinks.emplace_back();
        sink.url = row.text();
        sink.table = row.text();
    }
    return sinks;
}

void Repository::record_sink(const Claim& claim, const SinkAddress& sink) {
    if (is_recorded(sinks_of(claim.instance), sink)) return;
    const auto verb = [&](StoreWrite& write) {
        const sql::Command last[] = {fence(claim, write.now()),
                                     {"INSERT INTO instance_sink (instance_id, url, sink_table) SELECT $1, $2, $3 "
                                      "WHERE NOT EXISTS (SELECT 1 FROM "
                                      "instance_sink s WHERE s.instance_id = $1 AND s.url = $2 AND s.sink_table = $3)",
                                      {Value(claim.instance.value()), cell(sink.url), cell(sink.table)}}};
        write.commit(last);
    };
    as_owner(claim, [&] { impl_->transact(verb); });
}

void Repository::settle_counts(StepExecutionId step, const Progress& committed) {
    const auto known = find_step(step);
    if (!known || !known->ended || known->metrics.commits >= committed.metrics.commits) return;
    static const std::string of_execution =
        fmt::format("UPDATE step_execution SET {} WHERE id = $1 AND ended IS NOT NULL AND commits < $8", better_counts);
    static const std::string of_progress = fmt::format(
        "UPDATE step_progress SET {} WHERE instance_id = (SELECT e.instance_id FROM step_execution s JOIN "
        "job_execution e ON e.id = s.execution_id WHERE s.id = $1) AND last_execution = $1 AND "
        "status <> 'STARTED' AND commits < $8",
        better_counts);
    impl_->transact([&](StoreWrite& write) {
        write.lock("job_execution", known->execution_id.value());
        const sql::Command last[] = {settle(of_execution, step, committed.metrics),
                                     settle(of_progress, step, committed.metrics)};
        write.commit(last);
    });
}

}  // namespace fermata
