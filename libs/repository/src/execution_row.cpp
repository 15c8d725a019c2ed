#include "execution_row.hpp"

#include "json_text.hpp"

namespace fermata {

namespace {

JobExecution read_own(RowReader& row) {
    JobExecution e;
    e.id = JobExecutionId(row.integer());
    e.instance_id = JobInstanceId(row.integer());
    e.job_name = row.text();
    e.instance_key = row.optional_text();
    e.status = row.status();
    e.exit_status = row.optional_text();
    e.created = row.time();
    e.started = row.optional_time();
    e.ended = row.optional_time();
    e.updated = row.time();
    if (const auto restart_of = row.optional_integer()) e.restart_of = JobExecutionId(*restart_of);
    e.restart_from = row.optional_text();
    e.failure = row.failure();
    e.epoch = row.integer();
    e.stop_requested_by = row.optional_text();
    e.stop_requested_at = row.optional_time();
    e.stop_now = row.flag();
    e.pauses = row.integer();
    e.parameters = parameters_in(row.text());
    return e;
}

}  // namespace

JobExecution read_execution_of(const Worker& owner, RowReader& row) {
    JobExecution e = read_own(row);
    e.owner = owner.record().id;
    return e;
}

JobExecution read_execution(RowReader& row, const std::filesystem::path& data_folder) {
    JobExecution e = read_own(row);
    const auto owner = read_worker(row);
    if (owner) e.owner = owner->id;
    e.owner_lost = is_running(e.status) && owner && liveness_of(*owner, data_folder).liveness == Liveness::dead;
    return e;
}

}  // namespace fermata
