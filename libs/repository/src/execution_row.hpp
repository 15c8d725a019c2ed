#pragma once
// A row of job_execution with its owner's, as a JobExecution.
#include "ownership.hpp"
#include "rows.hpp"

#include <filesystem>

namespace fermata {

/// Of job_execution e.
inline constexpr std::string_view execution_columns =
    "e.id, e.instance_id, e.job_name, e.instance_key, e.status, e.exit_status, e.created, e.started, e.ended, "
    "e.updated, e.restart_of, e.restart_from, e.error_class, e.error_message, e.error_step, e.error_position, e.epoch, "
    "e.stop_requested_by, e.stop_requested_at, e.stop_now, e.pauses, e.parameters";

/// Reads `execution_columns` of what this process' own worker owns.
[[nodiscard]] JobExecution read_execution_of(const Worker& owner, RowReader& row);
/// Reads `execution_columns`, then `worker_columns`.
[[nodiscard]] JobExecution read_execution(RowReader& row, const std::filesystem::path& data_folder);

}  // namespace fermata
