// How what runs comes to rest: an owner's verbs.
#include "fence.hpp"
#include "journal.hpp"
#include "notifier.hpp"
#include "pauses.hpp"
#include "progress.hpp"
#include "ring.hpp"

#include <fermata/base/point.hpp>

#include <algorithm>

namespace fermata {
namespace {

sql::Command rest_progress(const StepClaim& claim, const StepRest& rest, std::int64_t own_pause, Timestamp now) {
    static const std::string sql = fmt::format(
        "UPDATE step_progress SET {}, status = 'PAUSED', updated = $25, deaths = 0, intent = NULL, pause_request = "
        "$27, own_pause = CASE WHEN $26 > 0 THEN $26 ELSE own_pause END "
        "WHERE instance_id = $21 AND step = $22 AND partition = $23 AND epoch = $24 AND status = 'STARTED'",
        progress_assignments());
    sql::Command command{sql, {}, 1};
    append_progress(command.params, rest.progress);
    command.params.insert(command.params.end(), {Value(claim.execution.instance.value()), cell(claim.step),
                                                 Value(claim.partition), Value(claim.epoch), cell(now),
                                                 Value(own_pause), rest.pause ? Value() : cell(rest.progress.pause)});
    return command;
}

sql::Command rest_row(const StepClaim& claim, Timestamp now) {
    if (claim.partition == 0)
        return {"UPDATE step_execution SET status = 'PAUSED', updated = $2 WHERE id = $1 AND status = 'STARTED'",
                {Value(claim.id.value()), cell(now)},
                1};
    return {
        "UPDATE partition_execution SET status = 'PAUSED', offered = CASE WHEN owner IS NULL THEN 0 ELSE 1 END, "
        "owner = NULL WHERE step_execution_id = $1 AND partition = $2 AND "
        "status = 'STARTED'",
        {Value(claim.id.value()), Value(claim.partition - 1)},
        1};
}

std::optional<std::int64_t> number_of(const StepClaim& claim) {
    return claim.partition == 0 ? std::nullopt : std::optional(claim.partition - 1);
}

struct Resting {
    BatchStatus status{};
    std::int64_t worker = 0;
    std::int64_t pauses = 0;
    std::int64_t passed = 0;
};

// Locks the execution for its owner.
Resting owner_row(StoreWrite& write, const Claim& claim) {
    const std::string sql = fmt::format("SELECT status, owner, pauses, passed FROM job_execution WHERE {}{}",
                                        is_the_owners, write.dialect().for_update);
    const sql::Result found =
        write->execute(sql::Command{sql, {Value(claim.execution.value()), Value(claim.epoch)}, 1});
    RowReader row(found[0]);
    const BatchStatus status = row.status();
    const std::int64_t worker = row.integer();
    const std::int64_t pauses = row.integer();
    return {status, worker, pauses, row.integer()};
}

void go_on(StoreWrite& write, const Claim& claim) {
    static const std::string sql =
        fmt::format("UPDATE job_execution SET status = 'STARTED', updated = $2, {} WHERE id = $1", going_on);
    write->execute(sql, {Value(claim.execution.value()), cell(write.now())});
    write.commit();
}

// Who lets it go tells of its pauses, if that is wanted. False if it is not.
bool take_notifications(StoreWrite& write, JobExecutionId execution) {
    if (!exists(*write,
                "SELECT 1 FROM pause WHERE execution_id = $1 AND completed IS NULL AND notify IS NOT NULL AND "
                "notified IS NULL",
                {Value(execution.value())}))
        return false;
    const std::string notifier = this_notifier();
    write->execute(
        "UPDATE pause SET notifier = $2 WHERE execution_id = $1 AND completed IS NULL AND notify IS NOT NULL AND "
        "notified IS NULL",
        {Value(execution.value()), cell(notifier)});
    return true;
}

sql::Command pause_execution(const Claim& claim, std::int64_t pauses, const std::optional<std::string>& job_exit_status,
                             Timestamp now) {
    return {
        "UPDATE job_execution SET status = 'PAUSED', owner = NULL, exit_status = COALESCE($3, exit_status), "
        "rests = rests + 1, pauses = $5, pause_now = 0, updated = $4 WHERE id = $1 AND epoch = $2",
        {Value(claim.execution.value()), Value(claim.epoch), cell(job_exit_status), cell(now), Value(pauses)},
        1};
}

Event paused_event(const Claim& claim, Timestamp now) {
    return {.at = now,
            .execution = claim.execution,
            .kind = "execution.paused",
            .actor = std::string(runtime_actor),
            .data = "{}"};
}

void let_go(StoreWrite& write, const Claim& claim, const Resting& resting,
            const std::optional<std::string>& job_exit_status) {
    pause_unfinished(write, claim.execution, claim.instance, Partitions::all);
    forget_worker(write, resting.worker, claim.execution);
    ring_end(write);
    (void)take_notifications(write, claim.execution);
    const Event paused = paused_event(claim, write.now());
    const sql::Command last[] = {pause_execution(claim, resting.pauses, job_exit_status, write.now()), journal(paused)};
    FERMATA_POINT("pause.before-paused");
    write.commit(last);
    FERMATA_POINT("pause.paused");
}

// No pause is open, and its owner is about to leave.
void hand_on(StoreWrite& write, const Claim& claim, const Resting& resting,
             const std::optional<std::string>& job_exit_status) {
    pause_unfinished(write, claim.execution, claim.instance, Partitions::of_owner);
    forget_worker(write, resting.worker, claim.execution);
    release(write, claim.execution, resting.status);
    const sql::Command last[] = {
        {"UPDATE job_execution SET exit_status = COALESCE($3, exit_status), rests = rests + 1, pause_now = 0 "
         "WHERE id = $1 AND epoch = $2",
         {Value(claim.execution.value()), Value(claim.epoch), cell(job_exit_status)},
         1}};
    FERMATA_POINT("hand_on.before-commit");
    write.commit(last);
    FERMATA_POINT("hand_on.after-commit");
}

// The owner of a partition needs nothing of the execution, unless it opens a pause: then somebody has to own that.
void lock_for_rest(StoreWrite& write, const StepClaim& claim, const StepRest& rest) {
    if (claim.execution.owns_execution()) return void(write->execute(fence(claim.execution, write.now())));
    write.lock("job_execution", claim.execution.execution.value());
    if (rest.pause &&
        !exists(*write,
                "SELECT 1 FROM job_execution WHERE id = $1 AND owner IS NOT NULL AND status IN ('STARTED', "
                "'STOPPING', 'PAUSING')",
                {Value(claim.execution.execution.value())}))
        throw sql::RowCountError("nobody owns the execution just now");
    if (!rest.pause) ring_workers(write);  // others may go on with it
}

Event rested_event(const StepClaim& claim, const StepRest& rest, Timestamp now) {
    return {.at = now,
            .execution = claim.execution.execution,
            .kind = "step.paused",
            .actor = std::string(runtime_actor),
            .data = facts({{"step", std::string_view(claim.step)},
                           {"partition", claim.partition > 0 ? Fact(claim.partition - 1) : Fact()},
                           {"sequence", rest.progress.sequence}})};
}

PauseEntry pause_of(const StepClaim& claim, const StepRest& rest) {
    return {.kind = PauseKind::within,
            .what = *rest.pause,
            .element = claim.step,
            .partition = number_of(claim),
            .opened_by = runtime_actor};
}

// Whether the step rests under this epoch: for verdicts.
bool rests(sql::Connection& connection, const StepClaim& claim) {
    return exists(
        connection,
        "SELECT 1 FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition = $3 AND "
        "epoch = $4 AND status = 'PAUSED'",
        {Value(claim.execution.instance.value()), cell(claim.step), Value(claim.partition), Value(claim.epoch)});
}

PauseOpened rest(Store& store, const StepClaim& claim, const StepRest& rest) {
    PauseOpened opened;
    const auto verb = [&](StoreWrite& write) {
        lock_for_rest(write, claim, rest);
        opened = {};
        if (rest.pause) opened = open_pause(write, claim.execution.execution, pause_of(claim, rest));
        const Event rested = rested_event(claim, rest, write.now());
        const sql::Command last[] = {rest_progress(claim, rest, opened.epoch, write.now()),
                                     rest_row(claim, write.now()), journal(rested)};
        FERMATA_POINT("step.before-rest");
        write.commit(last);
        FERMATA_POINT("step.rested");
    };
    as_owner(claim.execution, [&] {
        store.transact(verb, [&](StoreWrite& look) {
            lock_for_owner(look, claim.execution);
            return rests(*look, claim);
        });
    });
    return opened;
}

// The pause that the step opens is the only one, and tells nobody.
bool tells_nobody(const StepRest& rest, const RestedTogether& answer, const Resting& resting) {
    return answer.pause.open && !rest.pause->notify && resting.pauses == resting.passed;
}

void commit_together(StoreWrite& write, const StepClaim& claim, const StepRest& rest, RestedTogether& answer,
                     const Resting& resting, const std::optional<std::string>& job_exit_status) {
    const Claim& owner = claim.execution;
    const std::int64_t pauses = std::max(resting.pauses, answer.pause.epoch);
    std::vector<Event> events;
    if (answer.pause.epoch > 0)
        events.push_back(opened_event(owner.execution, pause_of(claim, rest), answer.pause.epoch, write.now()));
    events.push_back(rested_event(claim, rest, write.now()));
    std::vector<sql::Command> last{rest_progress(claim, rest, answer.pause.epoch, write.now()),
                                   rest_row(claim, write.now())};
    if (answer.paused) {
        forget_worker(write, resting.worker, owner.execution);
        ring_end(write);
        answer.notifies = !tells_nobody(rest, answer, resting) && take_notifications(write, owner.execution);
        last.push_back(pause_execution(owner, pauses, job_exit_status, write.now()));
        events.push_back(paused_event(owner, write.now()));
    } else if (pauses > resting.pauses) {
        last.push_back(note_pause(owner.execution, pauses));
    }
    last.push_back(journal(events));
    FERMATA_POINT("step.before-rest");
    if (answer.paused) FERMATA_POINT("pause.before-paused");
    write.commit(last);
    FERMATA_POINT("step.rested");
    if (answer.paused) FERMATA_POINT("pause.paused");
}

}  // namespace

RestedTogether Repository::rest_together(const StepClaim& claim, const StepRest& how,
                                         const std::optional<std::string>& job_exit_status) {
    const Claim& owner = claim.execution;
    RestedTogether answer;
    const auto verb = [&](StoreWrite& write) {
        answer = {};
        const Resting resting = owner_row(write, owner);
        const bool stopping = resting.status == BatchStatus::stopping;
        if (how.pause && !stopping)
            answer.pause = insert_pause(write, owner.execution, pause_of(claim, how), resting.pauses + 1);
        answer.paused = !stopping && (answer.pause.open || has_open_pauses(*write, owner.execution));
        commit_together(write, claim, how, answer, resting, job_exit_status);
    };
    as_owner(owner, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, owner.execution);
            if (now.epoch != owner.epoch) throw sql::RowCountError("another owner came meanwhile");
            return rests(*look, claim);
        });
    });
    return answer;
}

PauseOpened Repository::rest_step(const StepClaim& claim, const StepRest& how) {
    return fermata::rest(*impl_, claim, how);
}

PauseOpened Repository::rest_partition(const StepClaim& partition, const StepRest& how) {
    return fermata::rest(*impl_, partition, how);
}

std::int64_t Repository::outside_pause_of(JobExecutionId execution) {
    const sql::Result row =
        impl_->select("SELECT outside_pause FROM job_execution WHERE id = $1", {Value(execution.value())});
    return row.empty() ? 0 : row[0][0].integer();
}

std::vector<std::string> Repository::unserved_pauses_of(const StepClaim& step) {
    const sql::Result rows = impl_->select(
        "SELECT pause_request FROM step_progress WHERE instance_id = $1 AND step = $2 AND partition > 0 AND "
        "last_execution = $3 AND pause_request IS NOT NULL ORDER BY partition",
        {Value(step.execution.instance.value()), cell(step.step), Value(step.id.value())});
    std::vector<std::string> pauses;
    for (std::size_t i = 0; i < rows.size(); ++i) pauses.emplace_back(rows[i][0].text());
    return pauses;
}

Rested Repository::rest_execution(const Claim& claim, const std::optional<std::string>& job_exit_status,
                                  bool hands_on) {
    Rested answer{};
    const auto verb = [&](StoreWrite& write) {
        const Resting resting = owner_row(write, claim);
        answer = Rested::stopping;
        if (resting.status == BatchStatus::stopping) return;
        answer = has_open_pauses(*write, claim.execution) ? Rested::paused
                 : hands_on                               ? Rested::handed_on
                                                          : Rested::goes_on;
        if (answer == Rested::goes_on) return go_on(write, claim);
        if (answer == Rested::handed_on) return hand_on(write, claim, resting, job_exit_status);
        let_go(write, claim, resting, job_exit_status);
    };
    as_owner(claim, [&] {
        impl_->transact(verb, [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, claim.execution);
            if (answer == Rested::handed_on)  // somebody may have claimed it already
                return now.epoch > claim.epoch || awaits_owner(now);
            const BatchStatus meant = answer == Rested::paused ? BatchStatus::paused : BatchStatus::started;
            return now.epoch == claim.epoch && now.status == meant;
        });
    });
    return answer;
}

}  // namespace fermata
