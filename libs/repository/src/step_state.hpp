#pragma once
// One row of step_progress as a StepState, of a step or of one of its partitions.
#include "progress.hpp"

#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

namespace fermata {

inline constexpr std::string_view state_columns =
    "step, status, exit_status, starts, epoch, last_execution, deaths, death_sequence, intent, own_pause, "
    "outside_pause, pause_request";

/// Reads `state_columns`, then `progress_columns`.
[[nodiscard]] inline StepState read_state(RowReader& row) {
    StepState state;
    state.name = row.text();
    state.status = row.status();
    state.exit_status = row.optional_text();
    state.starts = row.integer();
    state.epoch = row.integer();
    state.last_execution = StepExecutionId(row.integer());
    state.deaths = row.integer();
    state.death_sequence = row.integer();
    state.intent = row.optional_text();
    state.own_pause = row.integer();
    state.outside_pause = row.integer();
    auto unserved = row.optional_text();
    state.progress = read_progress(row);
    state.progress.pause = std::move(unserved);
    return state;
}

[[nodiscard]] inline StepState only_state(const sql::Result& result) {
    RowReader row(result[0]);
    return read_state(row);
}

/// Deaths at one place are counted together: what has made progress since begins anew.
inline constexpr std::string_view one_death_more =
    "deaths = CASE WHEN deaths > 0 AND death_sequence = sequence THEN deaths + 1 ELSE 1 END, death_sequence = sequence";

/// A new StepExecution counts its items, skips and retries from zero, and has no exit status yet.
inline constexpr std::string_view fresh_counts =
    "read = 0, written = 0, filtered = 0, read_skips = 0, process_skips = 0, write_skips = 0, commits = 0, "
    "rollbacks = 0, skips_used = 0, retries_used = 0, set_exit_status = NULL, pause_request = NULL";

/// "(read, …) = (SELECT …)": what the partitions of one StepExecution counted together.
[[nodiscard]] inline std::string sum_of_partitions(std::string_view step_execution) {
    return fmt::format(
        "(read, written, filtered, read_skips, process_skips, write_skips, commits, rollbacks) = "
        "(SELECT COALESCE(SUM(x.read), 0), COALESCE(SUM(x.written), 0), COALESCE(SUM(x.filtered), 0), "
        "COALESCE(SUM(x.read_skips), 0), COALESCE(SUM(x.process_skips), 0), COALESCE(SUM(x.write_skips), 0), "
        "COALESCE(SUM(x.commits), 0), COALESCE(SUM(x.rollbacks), 0) FROM partition_execution x "
        "WHERE x.step_execution_id = {})",
        step_execution);
}

}  // namespace fermata
