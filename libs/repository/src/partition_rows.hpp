#pragma once
// Rows of partition_execution as values, and what every entry of a partition does to its progress.
#include "json_text.hpp"
#include "rows.hpp"

#include <fermata/repository/partitions.hpp>

#include <fmt/format.h>

namespace fermata {

/// Columns of `x` in the order of read_partition(); counters of `x` are those of its end.
inline constexpr std::string_view partition_columns =
    "x.partition, x.properties, x.status, x.exit_status, x.started, x.ended, x.ran_by, x.cut, x.error_class, "
    "x.error_message, x.error_step, x.error_position";

/// Reads `partition_columns`.
[[nodiscard]] inline PartitionExecution read_partition(RowReader& row) {
    PartitionExecution partition;
    partition.number = row.integer();
    partition.properties = parameters_in(row.text());
    partition.status = row.status();
    partition.exit_status = row.optional_text();
    partition.started = row.optional_time();
    partition.ended = row.optional_time();
    partition.worker = row.optional_text().value_or("");
    partition.cut = row.flag();
    partition.failure = row.failure();
    return partition;
}

/// Where the partition of the step `s` stands that has waited longest; null if none waits.
inline constexpr std::string_view first_place =
    "(SELECT MIN(x.offered) FROM partition_execution x WHERE x.step_execution_id = s.id AND x.offered > 0)";
/// Behind all that wait. A number without a gap to the clocks of hosts; two that come to wait at the same instant may
/// have the same one.
inline constexpr std::string_view last_place =
    "(SELECT COALESCE(MAX((SELECT MAX(x.offered) FROM partition_execution x WHERE x.step_execution_id = s.id AND "
    "x.offered > 0)), 0) + 1 FROM step_execution s WHERE s.offers = 1 AND s.ended IS NULL AND s.id > 0)";

inline constexpr std::string_view collected_columns = "partition, number, data";
/// Reads `collected_columns`.
[[nodiscard]] inline CollectedData read_collected(std::span<const Value> cells) {
    RowReader row(cells);
    CollectedData collected;
    collected.partition = row.integer();
    collected.sequence = row.integer();
    collected.data = row.optional_text().value_or("");
    return collected;
}

/// While a partition has begun and not ended, its counters are in step_progress only. Looked up row by row: joined, a
/// server that has no statistics yet reads all of them for each. Of `x`, its step `s` and execution `e`.
[[nodiscard]] inline std::string live_of_partition(std::string_view column) {
    return fmt::format(
        "CASE WHEN x.ended IS NULL AND x.started IS NOT NULL THEN COALESCE((SELECT p.{0} FROM step_progress p WHERE "
        "p.instance_id = e.instance_id AND p.step = s.step AND p.partition = x.partition + 1 AND "
        "p.last_execution = s.id), x.{0}) ELSE x.{0} END",
        column);
}
/// In the order of RowReader::metrics().
[[nodiscard]] inline std::string live_metrics_of_partition() {
    std::string columns;
    for (const std::string_view column :
         {"read", "written", "filtered", "read_skips", "process_skips", "write_skips", "commits", "rollbacks"})
        columns += fmt::format("{}{}", columns.empty() ? "" : ", ", live_of_partition(column));
    return columns;
}

/// What was sent to the step was sent to its partitions.
[[nodiscard]] inline std::string from_step(std::string_view column) {
    return fmt::format(
        "{0} = (SELECT z.{0} FROM step_progress z WHERE z.instance_id = $1 AND z.step = $2 AND z.partition = 0)",
        column);
}

}  // namespace fermata
