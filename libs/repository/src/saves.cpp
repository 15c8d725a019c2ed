#include "saves.hpp"

#include "progress.hpp"

#include <fmt/format.h>

namespace fermata {
namespace {

sql::Command save_all(const std::string& sql, const StepClaim& claim, const Progress& next, Timestamp now) {
    sql::Command command{sql, {}, 1};
    command.params.reserve(26);
    append_progress(command.params, next);
    command.params.insert(command.params.end(),
                          {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.epoch), cell(now),
                           Value(claim.partition), cell(next.pause)});
    return command;
}

}  // namespace

sql::Command save_place(const StepClaim& claim, const Progress& next, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, updated = $24, pause_request = $26, "
        "deaths = CASE WHEN generation = $1 AND sequence = $2 THEN deaths ELSE 0 END, "
        "intent = CASE WHEN generation = $1 AND sequence = $2 THEN intent ELSE NULL END "
        "WHERE instance_id = $21 AND step = $22 AND partition = $25 AND epoch = $23 AND status = 'STARTED'",
        progress_assignments());
    return save_all(sql, claim, next, now);
}

sql::Command save_chunk(const StepClaim& claim, const Progress& next, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, updated = $24, pause_request = $26, deaths = 0, intent = NULL "
        "WHERE instance_id = $21 AND step = $22 AND partition = $25 AND epoch = $23 AND status = 'STARTED' AND "
        "generation = $1 AND sequence < $2",
        later_assignments());
    return save_all(sql, claim, next, now);
}

}  // namespace fermata
