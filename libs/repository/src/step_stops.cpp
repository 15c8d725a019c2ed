// Stopping one step while its job goes on: what somebody else than the owner writes, and what the owner reads.
#include "impl.hpp"
#include "journal.hpp"
#include "ownership.hpp"
#include "ring.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

using Effect = StepStopAnswer::Effect;

constexpr std::string_view cut_columns =
    "s.execution_id, s.id, s.step, s.cut_by, s.cut_at, s.cut_now, s.cut_after, s.cut_position";

StepCut read_cut(std::span<const Value> cells) {
    RowReader row(cells);
    StepCut cut;
    cut.execution = JobExecutionId(row.integer());
    cut.step_execution = StepExecutionId(row.integer());
    cut.step = row.text();
    cut.by = row.text();
    cut.at = row.time();
    cut.now = row.flag();
    cut.after = row.optional_integer();
    cut.position = row.optional_text().value_or("");
    return cut;
}

struct Entered {
    StepExecutionId id;
    BatchStatus status{};
    std::optional<Timestamp> asked;
    bool now = false;
};

// The step in this execution: it is entered once at most.
std::optional<Entered> entered(sql::Connection& connection, JobExecutionId execution, const std::string& step) {
    const sql::Result found = connection.execute(
        "SELECT id, status, cut_at, cut_now FROM step_execution WHERE execution_id = $1 AND step = $2",
        {Value(execution.value()), cell(step)});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    Entered step_found;
    step_found.id = StepExecutionId(row.integer());
    step_found.status = row.status();
    step_found.asked = row.optional_time();
    step_found.now = row.flag();
    return step_found;
}

StepStopAnswer judged(const Standing& standing, const std::optional<Entered>& step) {
    StepStopAnswer answer{.effect = Effect::not_running, .status = standing.status};
    const bool goes_on = standing.status == BatchStatus::started || standing.status == BatchStatus::pausing;
    if (step) {
        answer.step = step->status;
        answer.step_execution = step->id;
        answer.since = step->asked;
    }
    if (!goes_on) return answer;
    answer.effect = Effect::step_not_running;
    if (!step || step->status != BatchStatus::started) return answer;
    answer.effect = step->asked ? Effect::already : Effect::requested;
    return answer;
}

void mark(StoreWrite& write, StepExecutionId step, const StepStopRequest& request) {
    write->execute(sql::Command{
        "UPDATE step_execution SET cut_by = COALESCE(cut_by, $2), cut_at = COALESCE(cut_at, $3), cut_now = $4, "
        "updated = $3 WHERE id = $1 AND status = 'STARTED'",
        {Value(step.value()), cell(request.actor), cell(write.now()), flag_cell(request.now)},
        1});
}

// What makes the owner look: every commit of its chunks brings the number along.
sql::Command count(JobExecutionId execution, Timestamp now) {
    return {"UPDATE job_execution SET cuts = cuts + 1, updated = $2 WHERE id = $1",
            {Value(execution.value()), cell(now)},
            1};
}

}  // namespace

StepStopAnswer Repository::request_step_stop(JobExecutionId execution, const StepStopRequest& request) {
    StepStopAnswer answer;
    Timestamp asked_at;
    const auto verb = [&](StoreWrite& write) {
        const Standing standing = locked_standing_of(write, execution);
        const std::optional<Entered> step = entered(*write, execution, request.step);
        answer = judged(standing, step);
        if (answer.effect != Effect::requested && answer.effect != Effect::already) return;
        answer.owner_lost = owner_evidence(standing, data_folder_).liveness == Liveness::dead;
        if (answer.effect == Effect::already && (step->now || !request.now)) return;
        asked_at = write.now();
        if (!answer.since) answer.since = asked_at;
        mark(write, step->id, request);
        ring(write);
        const Event asked{.at = asked_at,
                          .execution = execution,
                          .kind = "step.stop_requested",
                          .actor = request.actor,
                          .data = facts({{"step", std::string_view(request.step)},
                                         {"step_execution", step->id.value()},
                                         {"now", request.now}})};
        const sql::Command last[] = {count(execution, asked_at), journal(asked)};
        FERMATA_POINT("step_stop.before-commit");
        write.commit(last);
        FERMATA_POINT("step_stop.after-commit");
    };
    impl_->transact(verb, [&](StoreWrite& look) {
        look.lock("job_execution", execution.value());
        return !look->execute(
                        "SELECT 1 FROM event WHERE execution_id = $1 AND at = $2 AND kind = 'step.stop_requested'",
                        {Value(execution.value()), cell(asked_at)})
                    .empty();
    });
    return answer;
}

std::vector<StepCut> Repository::step_stops_asked(const Claim& claim) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM step_execution s WHERE s.execution_id = $1 AND s.cut_by IS NOT NULL AND s.ended IS NULL",
        cut_columns);
    return read_all(impl_->select(sql, {Value(claim.execution.value())}), read_cut);
}

std::vector<StepCut> Repository::cuts_of(JobInstanceId instance) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM job_execution e JOIN step_execution s ON s.execution_id = e.id WHERE e.instance_id = $1 AND "
        "s.cut_by IS NOT NULL ORDER BY s.id",
        cut_columns);
    return read_all(impl_->select(sql, {Value(instance.value())}), read_cut);
}

}  // namespace fermata
