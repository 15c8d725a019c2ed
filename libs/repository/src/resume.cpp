// Leaving PAUSED: one compare-and-set, under the lock of the execution's row.
#include "fence.hpp"
#include "journal.hpp"
#include "pauses.hpp"
#include "step_entry.hpp"

#include <fermata/base/id.hpp>
#include <fermata/base/point.hpp>

namespace fermata {
namespace {

using Effect = ResumeAnswer::Effect;

ResumeAnswer answer_with(Effect effect, const Standing& standing) {
    ResumeAnswer answer;
    answer.effect = effect;
    answer.status = standing.status;
    answer.execution = standing.execution;
    answer.instance = standing.instance;
    answer.epoch = standing.epoch;
    answer.adopted = standing.was_started;
    answer.begun = standing.rests > 0;
    answer.accept_sink = standing.accept_sink;
    answer.accept_input = standing.accept_input;
    return answer;
}

ResumeAnswer refused(sql::Connection& connection, const Standing& standing) {
    ResumeAnswer answer = answer_with(Effect::conflict, standing);
    const sql::Result last = connection.execute(
        "SELECT completed_by, completed FROM pause WHERE execution_id = $1 AND completed IS NOT NULL "
        "ORDER BY epoch DESC LIMIT 1",
        {Value(standing.execution.value())});
    if (last.empty()) return answer;
    RowReader row(last[0]);
    answer.resumed_by = row.optional_text();
    answer.resumed_at = row.optional_time();
    return answer;
}

bool may_be_resumed(const Standing& standing) {
    return standing.status == BatchStatus::paused || standing.status == BatchStatus::pausing || awaits_owner(standing);
}

// One attempt to resume. The key tells it from every other, whatever the clocks say: for the verdict on its commit.
struct Attempt {
    const ResumeRequest& request;
    std::string key = new_uuid();
    std::string_view how = "resume";
    std::vector<CompletedPause> completed = {};

    // Of the signal that completes this pause; two at one point have two.
    [[nodiscard]] std::string key_of(const CompletedPause& pause) const {
        return completed.size() == 1 ? key : fmt::format("{}-{}", key, pause.epoch);
    }
};

// What a resume carries belongs to each pause it completes.
void insert_payload(StoreWrite& write, const Standing& standing, const Attempt& attempt) {
    std::vector<std::string> keys;
    keys.reserve(attempt.completed.size());
    sql::Params cells;
    for (const CompletedPause& pause : attempt.completed) {
        keys.push_back(attempt.key_of(pause));
        cells.insert(cells.end(), {Value(standing.execution.value()), cell(pause.point), cell(keys.back()),
                                   cell(attempt.request.payload), cell(attempt.request.actor), cell(write.now()),
                                   Value(pause.epoch), Value(std::string_view("applied"))});
    }
    insert_rows(*write,
                "INSERT INTO signal (execution_id, point, signal_key, payload, sender, at, pause, answer) VALUES ", 8,
                cells);
}

// Nothing but what was asked from outside, so there is nothing that must rest before it goes on.
bool only_from_outside(sql::Connection& connection, const Standing& standing) {
    return connection
        .execute("SELECT 1 FROM pause WHERE execution_id = $1 AND epoch > $2 AND kind <> 'outside' LIMIT 1",
                 {Value(standing.execution.value()), Value(standing.passed)})
        .empty();
}

void withdraw(StoreWrite& write, Standing& standing) {
    static const std::string sql =
        fmt::format("UPDATE job_execution SET status = 'STARTED', updated = $2, {} WHERE id = $1", going_on);
    write->execute(sql, {Value(standing.execution.value()), cell(write.now())});
    standing.status = BatchStatus::started;
}

std::string uuid_of(sql::Connection& connection, JobInstanceId instance) {
    return std::string(
        connection.execute("SELECT uuid FROM job_instance WHERE id = $1", {Value(instance.value())})[0][0].text());
}

// As the walk would next, from what it knows.
void enter_rested(StoreWrite& write, const StepClaim& rested, const ResumeAnswer& answer, ResumedInto& into) {
    static const std::string sql =
        fmt::format("SELECT outside_pause, exit_status, {} FROM job_execution WHERE id = $1", request_columns);
    const sql::Result found = write->execute(sql, {Value(answer.execution.value())});
    RowReader row(found[0]);
    into.outside_pause = row.integer();
    into.exit_status = row.optional_text();
    into.requests = read_requests(row);
    const Claim claim{answer.execution, answer.instance, answer.instance_uuid, answer.epoch};
    into.entered =
        enter_step_of(write, claim, rested.step, StepEntryMode::resume, {.own = 0, .outside = into.outside_pause});
}

// Who resumes, and the step that he let rest, where he knows it.
struct Resumer {
    const Worker* worker = nullptr;  ///< null: he leaves it to others
    const StepClaim* rested = nullptr;
    ResumedInto* into = nullptr;

    [[nodiscard]] bool goes_on_in_step(const Standing& standing) const {
        return rested != nullptr && rested->execution.epoch == standing.epoch;
    }
};

ResumeAnswer own(StoreWrite& write, Standing& standing, const Resumer& resumer) {
    static const std::string from_paused = fmt::format(
        "UPDATE job_execution SET status = 'STARTED', epoch = epoch + 1, owner = $3, updated = $4, "
        "started = COALESCE(started, $4), {} WHERE id = $1 AND epoch = $2",
        going_on);
    constexpr std::string_view from_starting =
        "UPDATE job_execution SET status = 'STARTED', epoch = epoch + 1, owner = $3, updated = $4, "
        "started = COALESCE(started, $4) WHERE id = $1 AND epoch = $2";
    const WorkerRecord& worker = resumer.worker->record();
    const bool paused = standing.status == BatchStatus::paused;
    const sql::Command both[] = {
        claim_worker(worker),
        {paused ? std::string_view(from_paused) : from_starting,
         {Value(standing.execution.value()), Value(standing.epoch), Value(worker.id), cell(write.now())},
         1}};
    write->execute_all(both);
    const bool in_step = resumer.goes_on_in_step(standing);
    ++standing.epoch;
    standing.status = BatchStatus::started;
    ResumeAnswer answer = answer_with(Effect::owned, standing);
    answer.instance_uuid = in_step ? resumer.rested->execution.instance_uuid : uuid_of(*write, standing.instance);
    if (in_step) enter_rested(write, *resumer.rested, answer, *resumer.into);
    return answer;
}

// For a worker; one that waits for a worker already is left as it is.
ResumeAnswer let_wait(StoreWrite& write, Standing& standing) {
    if (standing.status == BatchStatus::paused) release(write, standing.execution, standing.status);
    standing.status = BatchStatus::starting;
    return answer_with(Effect::released, standing);
}

Event completed_event(const Attempt& attempt, const CompletedPause& pause, JobExecutionId execution, Timestamp now) {
    const std::string key = attempt.key_of(pause);
    return {.at = now,
            .execution = execution,
            .kind = "pause.completed",
            .actor = attempt.request.actor,
            .data = facts({{"pause", pause.epoch}, {"how", attempt.how}, {"key", std::string_view(key)}})};
}

// What there is to tell beside the pauses; the first one by which the attempt is known again.
Event asked_event(const Attempt& attempt, const ResumeAnswer& answer, Timestamp now) {
    const bool owned = answer.effect == Effect::owned;
    return {.at = now,
            .execution = answer.execution,
            .kind = owned ? "execution.resumed" : "execution.resume_requested",
            .actor = attempt.request.actor,
            .data = facts({{"epoch", owned ? Fact(answer.epoch) : Fact()},
                           {"how", attempt.how},
                           {"point", fact(attempt.request.point)},
                           {"key", std::string_view(attempt.key)}})};
}

// In the order in which they are told: what is complete, who goes on. Never empty.
std::vector<Event> events_of(const Attempt& attempt, const ResumeAnswer& answer, Timestamp now) {
    std::vector<Event> events;
    events.reserve(attempt.completed.size() + 1);
    for (const CompletedPause& pause : attempt.completed)
        events.push_back(completed_event(attempt, pause, answer.execution, now));
    if (answer.effect == Effect::owned || events.empty()) events.push_back(asked_event(attempt, answer, now));
    return events;
}

// `standing` is PAUSED, PAUSING with a live owner, or waits for an owner.
ResumeAnswer resume_standing(StoreWrite& write, Standing& standing, Attempt& attempt, const Resumer& resumer) {
    const ResumeRequest& request = attempt.request;
    const bool alone = standing.status == BatchStatus::pausing && only_from_outside(*write, standing);
    attempt.how = alone ? "withdrawn" : "resume";
    attempt.completed = complete_pauses(write, standing.execution, request.point, attempt.how, request.actor);
    if (request.point && attempt.completed.empty()) return answer_with(Effect::no_such_point, standing);
    insert_payload(write, standing, attempt);
    const bool open = request.point && has_open_pauses(*write, standing.execution);
    if (standing.status == BatchStatus::pausing && !open && alone) {
        withdraw(write, standing);
        return answer_with(Effect::withdrawn, standing);
    }
    if (standing.status == BatchStatus::pausing) return answer_with(Effect::completed, standing);
    if (open) return answer_with(Effect::still_paused, standing);
    return resumer.worker == nullptr ? let_wait(write, standing) : own(write, standing, resumer);
}

// The last of `events`, with what is entered, in one statement with the commit.
void commit_resume(StoreWrite& write, std::vector<Event> events, const ResumedInto* into) {
    constexpr std::size_t at_once = 3;
    const bool in_step = into != nullptr && into->entered;
    if (in_step) events.push_back(entered_event(*into->entered, StepEntryMode::resume, write.now()));
    std::span<const Event> rest(events);
    for (; rest.size() > at_once; rest = rest.subspan(at_once)) write->execute(journal(rest.first(at_once)));
    const sql::Command last[] = {journal(rest)};
    FERMATA_POINT("resume.before-commit");
    write.commit(last);
    FERMATA_POINT("resume.after-commit");
    if (in_step) FERMATA_POINT("step.entered");
}

ResumeAnswer resume_it(Store& store, const std::filesystem::path& data_folder, JobExecutionId execution,
                       const ResumeRequest& request, const Resumer& resumer) {
    ResumeAnswer answer;
    std::optional<Standing> lost;
    Event known_by;
    const auto verb = [&](StoreWrite& write) {
        Attempt attempt{.request = request};
        lost.reset();
        if (resumer.into != nullptr) *resumer.into = {};
        Standing standing = locked_standing_of(write, execution);
        const bool overtaken = request.seen && *request.seen != standing.pauses;
        if (overtaken || !may_be_resumed(standing)) {
            answer = refused(*write, standing);
            return;
        }
        if (standing.status == BatchStatus::pausing) {
            const LivenessEvidence owner = owner_evidence(standing, data_folder);
            if (owner.liveness == Liveness::dead) {
                lost = standing;
                settle_lost(write, standing, owner.evidence, request.actor);
                lost->owner_forgotten = standing.owner_forgotten;
            }
        }
        answer = resume_standing(write, standing, attempt, resumer);
        if (answer.effect == Effect::no_such_point) {
            lost.reset();
            return;
        }
        std::vector<Event> events = events_of(attempt, answer, write.now());
        known_by = events.back();
        commit_resume(write, std::move(events), resumer.into);
    };
    FERMATA_POINT("resume.asked");
    store.transact(verb, [&](StoreWrite& look) {
        look.lock("job_execution", execution.value());
        return exists(*look, "SELECT 1 FROM event WHERE execution_id = $1 AND kind = $2 AND data = $3",
                      {Value(execution.value()), cell(known_by.kind), cell(known_by.data)});
    });
    if (lost) remove_owner_file(*lost, data_folder);
    return answer;
}

}  // namespace

ResumeAnswer Repository::resume(JobExecutionId execution, const ResumeRequest& request, Worker& worker) {
    return resume_it(*impl_, data_folder_, execution, request, {.worker = &worker});
}

ResumedInto Repository::resume_into(JobExecutionId execution, const ResumeRequest& request, Worker& worker,
                                    const StepClaim& rested) {
    ResumedInto into;
    into.answer =
        resume_it(*impl_, data_folder_, execution, request, {.worker = &worker, .rested = &rested, .into = &into});
    return into;
}

ResumeAnswer Repository::resume(JobExecutionId execution, const ResumeRequest& request) {
    return resume_it(*impl_, data_folder_, execution, request, {});
}

}  // namespace fermata
