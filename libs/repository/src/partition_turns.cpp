// Partitions that share their slots: whether something waits for one, and how it is given up.
#include "fence.hpp"
#include "partition_rows.hpp"
#include "progress.hpp"
#include "ring.hpp"
#include "what_waits.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

// Another one of the step, an execution, or one of another step; if this one could be claimed again.
const std::string& waits_sql() {
    static const std::string sql = fmt::format(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM step_execution s JOIN job_execution e ON e.id = s.execution_id WHERE "
        "s.id = $1 AND s.offers = 1 AND s.status = 'STARTED' AND s.cut_by IS NULL AND e.status = 'STARTED') AND ("
        "EXISTS (SELECT 1 FROM partition_execution x WHERE x.step_execution_id = $1 AND x.offered > 0) OR "
        "EXISTS (SELECT 1 {}) OR EXISTS (SELECT 1 FROM {} {} WHERE {} AND EXISTS (SELECT 1 FROM partition_execution x "
        "WHERE x.step_execution_id = s.id AND x.offered > 0))) THEN 1 ELSE 0 END",
        executions_for("$2"), running_steps, served_by("$2"), offers_some);
    return sql;
}

sql::Command progress_of(const StepClaim& claim, const Progress& progress, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, status = 'STARTING', updated = $25, deaths = 0, intent = NULL, pause_request = "
        "$26 WHERE instance_id = $21 AND step = $22 AND partition = $23 AND epoch = $24 AND status = 'STARTED'",
        progress_assignments());
    sql::Command command{sql, {}, 1};
    append_progress(command.params, progress);
    command.params.insert(command.params.end(),
                          {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition),
                           Value(claim.epoch), cell(now), cell(progress.pause)});
    return command;
}

sql::Command wait_again(const StepClaim& claim) {
    static const std::string sql = fmt::format(
        "UPDATE partition_execution SET status = 'STARTING', owner = NULL, offered = {} WHERE step_execution_id = $1 "
        "AND partition = $2 AND status = 'STARTED'",
        last_place);
    return {sql, {Value(claim.id.value()), Value(claim.partition - 1)}, 1};
}

// Or somebody has claimed it already.
bool is_given_up(StoreWrite& look, const StepClaim& claim) {
    const std::string sql = fmt::format(
        "SELECT 1 FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition = $3 AND (epoch > $4 OR status "
        "= 'STARTING'){}",
        look.dialect().for_update);
    return exists(
        *look, sql,
        {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition), Value(claim.epoch)});
}

}  // namespace

bool Repository::others_wait(const StepClaim& partition, const Worker& worker) {
    return impl_->select(waits_sql(), {Value(partition.id.value()), Value(worker.record().id)})[0][0].integer() == 1;
}

// As the end of a partition, this needs nothing of its execution: whoever takes the partition away raises its epoch.
void Repository::give_up_turn(const StepClaim& partition, const Progress& progress) {
    const auto verb = [&](StoreWrite& write) {
        std::vector<sql::Command> last{progress_of(partition, progress, write.now()), wait_again(partition)};
        append_ring(last, write, work_channel);
        FERMATA_POINT("turn.before-give-up");
        write.commit(last);
        FERMATA_POINT("turn.given-up");
    };
    as_owner(partition.execution,
             [&] { impl_->transact(verb, [&](StoreWrite& look) { return is_given_up(look, partition); }); });
}

}  // namespace fermata
