// What somebody else than the owner may do to an execution. Requesters write only what the status table grants them.
#include "impl.hpp"
#include "journal.hpp"
#include "ownership.hpp"
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
    if (!is_running(standing.status)) return std::nullopt;
    LivenessEvidence owner = owner_evidence(standing, data_folder);
    if (owner.liveness != Liveness::dead) return std::nullopt;
    return Lost{std::move(standing), std::move(owner.evidence)};
}

// Conditional, so that a stop that crosses with the end of the execution changes nothing.
bool ask(sql::Connection& connection, JobExecutionId execution, const StopRequest& request, Timestamp now) {
    const sql::Result asked = connection.execute(
        "UPDATE job_execution SET status = 'STOPPING', stop_requested_by = $2, stop_requested_at = $3, "
        "stop_now = $4, updated = $3 WHERE id = $1 AND status IN ('STARTING', 'STARTED')",
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

void record_request(sql::Connection& connection, JobExecutionId execution, const StopRequest& request, Timestamp now) {
    const Event asked{.at = now,
                      .execution = execution,
                      .kind = "execution.stop_requested",
                      .actor = request.actor,
                      .data = facts({{"now", request.now}})};
    connection.execute(journal(asked));
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
        if (standing.status != BatchStatus::stopping) return;
        const bool raised = !first && raise_to_now(*write, standing, request, write.now());
        if (first || raised) record_request(*write, execution, request, write.now());
        ring(write);
        answer = {first ? Effect::requested : Effect::already, standing.status, standing.stop_requested_at};
        const LivenessEvidence owner = owner_evidence(standing, data_folder_);
        if (owner.liveness == Liveness::dead) {
            answer = {Effect::stopped, end_lost(write, standing, owner.evidence, request.actor),
                      standing.stop_requested_at};
            ended = std::move(standing);
        }
        FERMATA_POINT("stop.before-commit");
        write.commit();
    };
    impl_->transact(verb, [&](StoreWrite& look) {
        return asked_at && locked_standing_of(look, execution).stop_requested_at == asked_at;
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
            const std::string_view status = to_string(standing.status);
            const Event abandoned{.at = write.now(),
                                  .execution = execution,
                                  .kind = "execution.abandoned",
                                  .actor = actor,
                                  .data = facts({{"status", status}})};
            const sql::Command last[] = {
                {"UPDATE job_execution SET status = 'ABANDONED', updated = $3 WHERE id = $1 AND status = $2",
                 {Value(execution.value()), Value(status), cell(write.now())},
                 1},
                journal(abandoned)};
            write.commit(last);
        },
        [&](StoreWrite& look) { return locked_standing_of(look, execution).status == BatchStatus::abandoned; });
    return *before;
}

std::optional<LivenessEvidence> Repository::owner_liveness(JobExecutionId execution) {
    const Standing standing = impl_->read([&](sql::Connection& c) { return standing_of(c, execution); });
    if (!is_running(standing.status)) return std::nullopt;
    return owner_evidence(standing, data_folder_);
}

std::optional<WorkerRecord> Repository::owner_of(JobExecutionId execution) {
    return impl_->read([&](sql::Connection& c) { return standing_of(c, execution).owner; });
}

std::optional<Claim> Repository::adopt(JobExecutionId execution, Worker& worker, const std::string& actor) {
    std::optional<Lost> lost;
    std::optional<Claim> claim;
    std::int64_t owner = 0;
    impl_->transact(
        [&](StoreWrite& write) {
            claim.reset();
            lost = find_lost(write, execution, data_folder_);
            if (!lost) return;
            Standing& standing = lost->standing;
            count_deaths(*write, standing, write.now());
            forget_worker(write, standing);
            owner = claim_worker(*write, worker.record());
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

}  // namespace fermata
