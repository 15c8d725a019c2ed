// What somebody else than the owner may do to an execution. Requesters write only what the status table grants them.
#include "fence.hpp"
#include "impl.hpp"
#include "journal.hpp"
#include "lease.hpp"
#include "ownership.hpp"
#include "pauses.hpp"
#include "ring.hpp"

#include <fermata/base/point.hpp>

namespace fermata {
namespace {

struct Lost {
    Standing standing;
    std::string evidence;
};

// The execution, if it runs and its owner is proved dead.
std::optional<Lost> find_lost(StoreWrite& write, JobExecutionId execution, const std::filesystem::path& data_folder) {
    Standing standing = locked_standing_of(write, execution);
    if (!is_running(standing.status) || awaits_owner(standing)) return std::nullopt;
    LivenessEvidence owner = owner_evidence(standing, data_folder);
    if (owner.liveness != Liveness::dead) return std::nullopt;
    return Lost{std::move(standing), std::move(owner.evidence)};
}

// Conditional, so that a stop that crosses with the end of the execution changes nothing.
bool ask(sql::Connection& connection, JobExecutionId execution, const StopRequest& request, Timestamp now) {
    const sql::Result asked = connection.execute(
        "UPDATE job_execution SET status = 'STOPPING', stop_requested_by = $2, stop_requested_at = $3, "
        "stop_now = $4, updated = $3 WHERE id = $1 AND (status IN ('STARTED', 'PAUSING') OR (status = 'STARTING' AND "
        "owner IS NOT NULL))",
        {Value(execution.value()), cell(request.actor), cell(now), flag_cell(request.now)});
    return asked.changed == 1;
}

bool raise_to_now(sql::Connection& connection, const Standing& standing, const StopRequest& request, Timestamp now) {
    if (!request.now || standing.stop_now) return false;
    const sql::Result raised =
        connection.execute("UPDATE job_execution SET stop_now = 1, updated = $2 WHERE id = $1 AND status = 'STOPPING'",
                           {Value(standing.execution.value()), cell(now)});
    return raised.changed == 1;
}

// Nobody owns what waits, so nobody has to stop it.
std::optional<StopAnswer> stop_waiting(StoreWrite& write, const Standing& standing, const StopRequest& request) {
    if (standing.status != BatchStatus::paused && !awaits_owner(standing)) return std::nullopt;
    write->execute("UPDATE job_execution SET stop_requested_by = $2, stop_requested_at = $3 WHERE id = $1",
                   {Value(standing.execution.value()), cell(request.actor), cell(write.now())});
    end_waiting(write, standing, BatchStatus::stopped, request.actor);
    return StopAnswer{StopAnswer::Effect::stopped, BatchStatus::stopped, write.now()};
}

// The oldest open pause at this point that was asked for from outside, and since when; at any point, of any kind, if
// none is named.
std::optional<std::pair<std::int64_t, Timestamp>> asked_before(sql::Connection& connection, JobExecutionId execution,
                                                               std::string_view point) {
    const sql::Result found = connection.execute(
        "SELECT epoch, opened FROM pause WHERE execution_id = $1 AND completed IS NULL AND ($2 = '' OR (point = $2 AND "
        "kind = 'outside')) ORDER BY epoch LIMIT 1",
        {Value(execution.value()), cell(point)});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    const std::int64_t epoch = row.integer();
    return std::pair(epoch, row.time());
}

/// Behind which step the pause stands, where it is a gate that a stop leaves closed: the one that runs, if it is one
/// alone.
std::string gated_step(sql::Connection& connection, JobExecutionId execution, const OutsidePause& request) {
    if (!request.after_step) return {};
    const sql::Result running =
        connection.execute("SELECT step FROM step_execution WHERE execution_id = $1 AND ended IS NULL LIMIT 2",
                           {Value(execution.value())});
    return running.size() == 1 ? std::string(running[0][0].text()) : std::string();
}

void record_request(sql::Connection& connection, JobExecutionId execution, const StopRequest& request, Timestamp now) {
    const Event asked{.at = now,
                      .execution = execution,
                      .kind = "execution.stop_requested",
                      .actor = request.actor,
                      .data = facts({{"now", request.now}})};
    connection.execute(journal(asked));
}

// Nobody works on it any more, if its owner is proved dead and it has one of these statuses.
bool let_go(Store& store, const std::filesystem::path& data_folder, JobExecutionId execution, const std::string& actor,
            bool (*applies)(BatchStatus)) {
    std::optional<Lost> lost;
    store.transact(
        [&](StoreWrite& write) {
            lost = find_lost(write, execution, data_folder);
            if (lost && !applies(lost->standing.status)) lost.reset();
            if (!lost) return;
            Standing standing = lost->standing;
            let_go_lost(write, standing, lost->evidence, actor);
            lost->standing.owner_forgotten = standing.owner_forgotten;
            FERMATA_POINT("let_go.before-commit");
            write.commit();
        },
        [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, execution);
            return now.epoch > lost->standing.epoch;
        });
    if (lost) remove_owner_file(lost->standing, data_folder);
    return lost.has_value();
}

}  // namespace

StopAnswer Repository::request_stop(JobExecutionId execution, const StopRequest& request) {
    using Effect = StopAnswer::Effect;
    StopAnswer answer;
    std::optional<Standing> ended;
    std::optional<Timestamp> asked_at;
    const auto verb = [&](StoreWrite& write) {
        ended.reset();
        asked_at.reset();
        write.lock("job_execution", execution.value());
        const bool first = ask(*write, execution, request, write.now());
        if (first) asked_at = write.now();
        Standing standing = standing_of(*write, execution);
        answer = {Effect::not_running, standing.status, std::nullopt};
        if (const auto stopped = stop_waiting(write, standing, request)) {
            answer = *stopped;
            asked_at = write.now();
            FERMATA_POINT("stop.before-commit");
            return void(write.commit());
        }
        if (standing.status != BatchStatus::stopping) return;
        const bool raised = !first && raise_to_now(*write, standing, request, write.now());
        if (first || raised) record_request(*write, execution, request, write.now());
        ring(write);
        answer = {first ? Effect::requested : Effect::already, standing.status, standing.stop_requested_at};
        const LivenessEvidence owner = owner_evidence(standing, data_folder_);
        if (owner.liveness == Liveness::dead) {
            answer = {Effect::stopped, end_lost(write, standing, owner.evidence, request.actor),
                      standing.stop_requested_at, true};
            ended = std::move(standing);
        }
        FERMATA_POINT("stop.before-commit");
        write.commit();
    };
    impl_->transact(verb, [&](StoreWrite& look) {
        if (!asked_at) return false;
        const Standing standing = locked_standing_of(look, execution);
        // Somebody else's at the same instant may have left it its time.
        return standing.stop_requested_at == asked_at &&
               (standing.stop_now || !request.now || has_ended(standing.status));
    });
    if (ended) remove_owner_file(*ended, data_folder_);
    return answer;
}

BatchStatus Repository::abandon(JobExecutionId execution, const std::string& actor) {
    std::optional<BatchStatus> before;
    impl_->transact(
        [&](StoreWrite& write) {
            const Standing standing = locked_standing_of(write, execution);
            before = standing.status;
            if (is_running(standing.status) || standing.status == BatchStatus::abandoned) return;
            if (standing.status == BatchStatus::paused) end_waiting(write, standing, BatchStatus::abandoned, actor);
            const std::string_view status = to_string(standing.status);
            const Event abandoned{.at = write.now(),
                                  .execution = execution,
                                  .kind = "execution.abandoned",
                                  .actor = actor,
                                  .data = facts({{"status", status}})};
            std::vector<sql::Command> last{journal(abandoned)};
            if (standing.status != BatchStatus::paused)
                last.push_back(
                    {"UPDATE job_execution SET status = 'ABANDONED', updated = $3 WHERE id = $1 AND "
                     "status = $2",
                     {Value(execution.value()), Value(status), cell(write.now())},
                     1});
            FERMATA_POINT("abandon.before-commit");
            write.commit(last);
            FERMATA_POINT("abandon.after-commit");
        },
        [&](StoreWrite& look) { return locked_standing_of(look, execution).status == BatchStatus::abandoned; });
    return *before;
}

std::optional<LivenessEvidence> Repository::owner_liveness(JobExecutionId execution) {
    if (impl_->database.dialect().concurrent_writers) declare_dead(*impl_);
    const Standing standing = impl_->read([&](sql::Connection& c) { return standing_of(c, execution); });
    if (!is_running(standing.status) || awaits_owner(standing)) return std::nullopt;
    return owner_evidence(standing, data_folder_);
}

std::optional<WorkerRecord> Repository::owner_of(JobExecutionId execution) {
    return impl_->read([&](sql::Connection& c) { return standing_of(c, execution).owner; });
}

std::optional<Claim> Repository::adopt(JobExecutionId execution, Worker& worker, const std::string& actor) {
    std::optional<Lost> lost;
    std::optional<Claim> claim;
    const std::int64_t owner = worker.record().id;
    impl_->transact(
        [&](StoreWrite& write) {
            claim.reset();
            lost = find_lost(write, execution, data_folder_);
            if (!lost) return;
            Standing& standing = lost->standing;
            count_deaths(*write, standing, Partitions::of_owner, write.now());
            release_partitions_of_owner(*write, standing);
            forget_worker(write, standing);
            if (impl_->serves(worker))
                lock_worker(write, worker);
            else
                write->execute(claim_worker(worker.record()));
            const Event adopted{
                .at = write.now(),
                .execution = execution,
                .kind = "execution.adopted",
                .actor = actor,
                .data = facts({{"epoch", standing.epoch + 1}, {"evidence", std::string_view(lost->evidence)}})};
            const sql::Command last[] = {
                {"UPDATE job_execution SET epoch = epoch + 1, owner = $3, updated = $4 WHERE id = $1 AND epoch = $2",
                 {Value(execution.value()), Value(standing.epoch), Value(owner), cell(write.now())},
                 1},
                journal(adopted)};
            const sql::Result instance =
                write->execute("SELECT uuid FROM job_instance WHERE id = $1", {Value(standing.instance.value())});
            claim = Claim{execution, standing.instance, std::string(instance[0][0].text()), standing.epoch + 1};
            FERMATA_POINT("adopt.before-commit");
            write.commit(last);
        },
        [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, execution);
            return now.epoch == claim->epoch && now.owner && now.owner->id == owner;
        });
    if (lost) remove_owner_file(lost->standing, data_folder_);
    return claim;
}

bool Repository::fail_lost(JobExecutionId execution, const std::string& actor) {
    std::optional<Lost> lost;
    impl_->transact(
        [&](StoreWrite& write) {
            lost = find_lost(write, execution, data_folder_);
            if (!lost) return;
            end_lost(write, lost->standing, lost->evidence, actor);
            FERMATA_POINT("fail_lost.before-commit");
            write.commit();
        },
        [&](StoreWrite& look) {
            const Standing now = locked_standing_of(look, execution);
            return now.epoch == lost->standing.epoch + 1 && !is_running(now.status);
        });
    if (lost) remove_owner_file(lost->standing, data_folder_);
    return lost.has_value();
}

PauseAnswer Repository::request_pause(JobExecutionId execution, const OutsidePause& request) {
    using Effect = PauseAnswer::Effect;
    PauseAnswer answer;
    std::optional<Standing> lost;
    Timestamp asked_at;
    const auto verb = [&](StoreWrite& write) {
        lost.reset();
        Standing standing = locked_standing_of(write, execution);
        answer = {.effect = Effect::not_running, .status = standing.status};
        const bool paused = standing.status == BatchStatus::paused;
        if (!paused && (!is_running(standing.status) || standing.status == BatchStatus::stopping)) return;
        if (const auto before = asked_before(*write, execution, paused ? "" : request.what.point)) {
            answer = {Effect::already, standing.status, before->first, before->second};
            return;
        }
        const std::string step = gated_step(*write, execution, request);
        const PauseOpened opened = open_pause(write, execution,
                                              {.kind = PauseKind::outside,
                                               .what = request.what,
                                               .element = step,
                                               .opened_by = request.actor,
                                               .now = !request.after_step});
        asked_at = write.now();
        answer = {Effect::requested, opened.open ? BatchStatus::pausing : standing.status, opened.epoch, asked_at};
        const LivenessEvidence owner = owner_evidence(standing, data_folder_);
        if (opened.open && owner.liveness == Liveness::dead) {
            lost = standing;
            answer.status = settle_lost(write, standing, owner.evidence, request.actor);
            answer.effect = Effect::paused;
            lost->owner_forgotten = standing.owner_forgotten;
        }
        FERMATA_POINT("pause.before-commit");
        write.commit();
        FERMATA_POINT("pause.after-commit");
    };
    impl_->transact(verb, [&](StoreWrite& look) {
        look.lock("job_execution", execution.value());
        return exists(*look,
                      "SELECT 1 FROM pause WHERE execution_id = $1 AND epoch = $2 AND opened = $3 AND point = $4 AND "
                      "kind = 'outside' AND opened_by = $5",
                      {Value(execution.value()), Value(answer.epoch), cell(asked_at), cell(request.what.point),
                       cell(request.actor)});
    });
    if (lost) remove_owner_file(*lost, data_folder_);
    return answer;
}

bool Repository::pause_lost(JobExecutionId execution, const std::string& actor) {
    return let_go(*impl_, data_folder_, execution, actor, [](BatchStatus s) { return s == BatchStatus::pausing; });
}

bool Repository::release_lost(JobExecutionId execution, const std::string& actor) {
    return let_go(*impl_, data_folder_, execution, actor, [](BatchStatus) { return true; });
}

}  // namespace fermata
