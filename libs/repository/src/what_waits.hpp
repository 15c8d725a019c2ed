#pragma once
// What waits for a worker, as SQL: whoever claims and whoever asks whether there is anything to claim mean the same.
#include <fmt/format.h>

#include <string>
#include <string_view>

namespace fermata {

/// FROM and WHERE of executions `e`, of instances `i`, that wait and that the worker whose id is parameter `worker`
/// serves.
[[nodiscard]] inline std::string executions_for(std::string_view worker) {
    return fmt::format(
        "FROM worker w JOIN worker_job j ON j.worker = w.id JOIN job_execution e ON e.job_name = j.job_name AND "
        "e.status = 'STARTING' AND e.owner IS NULL JOIN job_instance i ON i.id = e.instance_id AND "
        "i.definition_hash = j.definition_hash WHERE w.id = {} AND w.draining = 0",
        worker);
}

/// FROM of steps `s`, of executions `e`, that run.
inline constexpr std::string_view running_steps =
    "step_execution s JOIN job_execution e ON e.id = s.execution_id AND e.status = 'STARTED' JOIN job_instance i ON "
    "i.id = e.instance_id";
/// Which the worker whose id is parameter `worker` serves.
[[nodiscard]] inline std::string served_by(std::string_view worker) {
    return fmt::format(
        "JOIN worker_job j ON j.job_name = e.job_name AND j.definition_hash = i.definition_hash JOIN worker w ON w.id "
        "= j.worker AND w.id = {} AND w.draining = 0",
        worker);
}
/// Condition: they offer partitions.
inline constexpr std::string_view offers_some =
    "s.offers = 1 AND s.ended IS NULL AND s.status = 'STARTED' AND s.cut_by IS NULL AND s.id > 0";

}  // namespace fermata
