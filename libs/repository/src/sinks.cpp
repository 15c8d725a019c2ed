// Which other databases hold the truth about an instance's steps, and what they know better than our copy.
#include "fence.hpp"
#include "step_state.hpp"

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

sql::Command settle(std::string_view sql, StepExecutionId step, const Metrics& metrics) {
    sql::Command command{sql, {Value(step.value())}};
    append_metrics(command.params, metrics);
    return command;
}

// Only where the copy is behind, and nobody can say more.
sql::Command settle_step(StepExecutionId step, const Metrics& metrics) {
    static const std::string sql =
        fmt::format("UPDATE step_execution SET {} WHERE id = $1 AND ended IS NOT NULL AND commits < $8", better_counts);
    return settle(sql, step, metrics);
}
sql::Command settle_partition(StepExecutionId step, const Metrics& metrics, std::int64_t partition) {
    static const std::string sql = fmt::format(
        "UPDATE partition_execution SET {} WHERE step_execution_id = $1 AND partition = $10 AND ended IS NOT NULL AND "
        "commits < $8",
        better_counts);
    sql::Command command = settle(sql, step, metrics);
    command.params.emplace_back(partition - 1);
    return command;
}

constexpr std::string_view of_step =
    "WHERE instance_id = (SELECT e.instance_id FROM step_execution s JOIN job_execution e ON e.id = s.execution_id "
    "WHERE s.id = $1) AND step = (SELECT s.step FROM step_execution s WHERE s.id = $1) AND last_execution = $1 AND "
    "status <> 'STARTED'";

sql::Command settle_progress(StepExecutionId step, const Metrics& metrics, std::int64_t partition) {
    static const std::string sql =
        fmt::format("UPDATE step_progress SET {} {} AND partition = $10 AND commits < $8", better_counts, of_step);
    sql::Command command = settle(sql, step, metrics);
    command.params.emplace_back(partition);
    return command;
}
/// A partitioned step counts what its partitions counted.
sql::Command add_up_step(StepExecutionId step) {
    static const std::string sql = fmt::format("UPDATE step_execution SET {} WHERE id = $1 AND ended IS NOT NULL",
                                               sum_of_partitions("step_execution.id"));
    return {sql, {Value(step.value())}};
}
sql::Command add_up_progress(StepExecutionId step) {
    static const std::string sql = fmt::format("UPDATE step_progress SET {} {} AND partition = 0",
                                               sum_of_partitions("step_progress.last_execution"), of_step);
    return {sql, {Value(step.value())}};
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
        lock_for_owner(write, claim);
        const sql::Command last[] = {
            {"INSERT INTO instance_sink (instance_id, url, sink_table) SELECT $1, $2, $3 "
             "WHERE NOT EXISTS (SELECT 1 FROM "
             "instance_sink s WHERE s.instance_id = $1 AND s.url = $2 AND s.sink_table = $3)",
             {Value(claim.instance.value()), cell(sink.url), cell(sink.table)}}};
        write.commit(last);
    };
    as_owner(claim, [&] { impl_->transact(verb); });
}

void Repository::settle_counts(StepExecutionId step, std::int64_t partition, const Progress& committed) {
    // Of ten thousand partitions few are behind.
    const sql::Result behind =
        partition == 0 ? impl_->select(
                             "SELECT execution_id FROM step_execution WHERE id = $1 AND ended IS NOT NULL AND "
                             "commits < $2",
                             {Value(step.value()), Value(committed.metrics.commits)})
                       : impl_->select(
                             "SELECT s.execution_id FROM step_execution s JOIN partition_execution x ON "
                             "x.step_execution_id = s.id WHERE s.id = $1 AND s.ended IS NOT NULL AND "
                             "x.partition = $3 AND x.commits < $2",
                             {Value(step.value()), Value(committed.metrics.commits), Value(partition - 1)});
    if (behind.empty()) return;
    const Metrics& counts = committed.metrics;
    impl_->transact([&](StoreWrite& write) {
        write.lock("job_execution", behind[0][0].integer());
        if (partition == 0) {
            const sql::Command last[] = {settle_step(step, counts), settle_progress(step, counts, 0)};
            write.commit(last);
        } else {
            const sql::Command last[] = {settle_partition(step, counts, partition),
                                         settle_progress(step, counts, partition), add_up_step(step),
                                         add_up_progress(step)};
            write.commit(last);
        }
    });
}

}  // namespace fermata
