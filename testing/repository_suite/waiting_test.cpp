// Pausing, signals, resuming and deadlines, as the store knows them.
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/scenes.hpp>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include <fstream>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Disposition = SignalAnswer::Disposition;
using Effect = ResumeAnswer::Effect;

struct Waiting : RepositorySuite {
    ~Waiting() override { EXPECT_THAT(repository().verify(), IsEmpty()); }

    Claim paused(const PauseRequest& what) {
        const Claim claim = launch();
        const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
        const Progress progress = commit_chunk(entry, entry.state.progress);
        repository().rest_step(entry.claim, {.progress = progress, .pause = what});
        EXPECT_EQ(Rested::paused, repository().rest_execution(claim, "HALF"));
        return claim;
    }
    SignalAnswer send(const Claim& claim, const std::string& key, const SignalRequest& more = {}) {
        SignalRequest request = more;
        if (request.point.empty()) request.point = "approve";
        request.key = key;
        request.sender = "ann";
        return repository().signal(claim.execution, request);
    }
    ResumeAnswer resume(const Claim& claim, const ResumeRequest& request = {.actor = "ann"}) {
        return repository().resume(claim.execution, request, worker());
    }
    static Claim claim_of(const ResumeAnswer& answer) {
        return {answer.execution, answer.instance, answer.instance_uuid, answer.epoch};
    }
    [[nodiscard]] BatchStatus status(const Claim& claim) { return execution(claim.execution).status; }
};

TEST_F(Waiting, APausedExecutionIsNobodysAndSaysWhatItWaitsFor) {
    const Claim claim = paused({.point = "approve", .message = "is that right?", .signals = 3});
    const JobExecution e = execution(claim.execution);
    EXPECT_EQ(BatchStatus::paused, e.status);
    EXPECT_FALSE(e.owner);
    EXPECT_FALSE(e.ended);
    EXPECT_EQ("HALF", e.exit_status);
    ASSERT_EQ(1U, e.waits.size());
    EXPECT_EQ("approve", e.waits[0].what.point);
    EXPECT_EQ("is that right?", e.waits[0].what.message);
    EXPECT_EQ("load", e.waits[0].element);
    EXPECT_EQ(PauseKind::within, e.waits[0].kind);
    EXPECT_EQ(3, e.waits[0].what.signals);
    const StepExecution step = repository().steps_of(claim.execution).at(0);
    EXPECT_EQ(BatchStatus::paused, step.status);
    EXPECT_EQ(10, step.metrics.read);
    EXPECT_EQ(0, raw()->execute("SELECT COUNT(*) FROM worker")[0][0].integer());
    EXPECT_EQ(1U, repository().find_executions({.statuses = {BatchStatus::paused}}).at(0).waits.size());
    EXPECT_EQ(0, raw()->execute("SELECT COUNT(*) FROM BATCH_JOB_EXECUTION WHERE END_TIME IS NOT NULL")[0][0].integer());
}

TEST_F(Waiting, AResumeGoesOnWithTheSameExecutionAndStep) {
    const Claim claim = paused({.point = "approve"});
    const ResumeAnswer answer = resume(claim, {.payload = R"({"by":"ann"})", .actor = "ann"});
    EXPECT_EQ(ResumeAnswer::Effect::owned, answer.effect);
    EXPECT_EQ(claim.epoch + 1, answer.epoch);
    EXPECT_EQ(claim.instance_uuid, answer.instance_uuid);
    EXPECT_TRUE(answer.begun);
    const Claim again = claim_of(answer);
    const StepEntry entry = repository().enter_step(again, "load", StepEntryMode::resume);
    EXPECT_EQ(1, entry.state.starts);
    EXPECT_EQ(10, entry.state.progress.metrics.read);
    const auto signals = repository().signals_for(claim.execution, {entry.state.own_pause, entry.state.outside_pause});
    ASSERT_EQ(1U, signals.size());
    EXPECT_EQ(R"({"by":"ann"})", signals[0].payload);
    EXPECT_EQ("ann", signals[0].sender);
    end_step(entry, BatchStatus::completed);
    end(again, BatchStatus::completed);
    EXPECT_THAT(kinds(claim.execution),
                ElementsAre("execution.started", "step.started", "pause.opened", "step.paused", "execution.paused",
                            "pause.completed", "execution.resumed", "step.started", "step.ended", "execution.ended"));
}

TEST_F(Waiting, TheJournalTellsOfEachPauseThatAResumeCompletes) {
    const auto completed = [&](JobExecutionId id) {
        std::vector<nlohmann::json> told;
        for (const Event& event : repository().events_of(id, "pause.completed", 100)) {
            EXPECT_EQ("ann", event.actor);
            told.push_back(nlohmann::json::parse(event.data));
        }
        return told;
    };
    const auto key_of_signal = [&](const Claim& claim, std::int64_t pause) -> std::string {
        return repository().signals_for(claim.execution, {.own = pause}).at(0).key;
    };
    const Claim one = paused({.point = "approve"});
    resume(one);
    const auto resumed = repository().events_of(one.execution, "execution.resumed", 1).at(0);
    const std::string key = key_of_signal(one, 1);
    EXPECT_EQ(key, nlohmann::json::parse(resumed.data)["key"].get<std::string>());
    EXPECT_THAT(completed(one.execution), ElementsAre(nlohmann::json{{"pause", 1}, {"how", "resume"}, {"key", key}}));

    const Claim many = launch();
    for (const char* step : {"a", "b", "c", "d"}) {
        const StepEntry entry = repository().enter_step(many, step, StepEntryMode::start);
        repository().rest_step(entry.claim, {.progress = entry.state.progress, .pause = PauseRequest{.point = "same"}});
    }
    EXPECT_EQ(Rested::paused, repository().rest_execution(many, {}));
    EXPECT_EQ(Effect::released, repository().resume(many.execution, {.actor = "ann"}).effect);
    const auto told = completed(many.execution);
    ASSERT_EQ(4U, told.size());
    for (std::size_t i = 0; i < 4; ++i) {
        EXPECT_EQ(i + 1, told[i]["pause"].get<std::size_t>());
        EXPECT_EQ(key_of_signal(many, static_cast<std::int64_t>(i) + 1), told[i]["key"].get<std::string>());
    }
    EXPECT_EQ(Effect::released, repository().resume(many.execution, {.actor = "ann"}).effect);
    EXPECT_EQ(4U, completed(many.execution).size());
    EXPECT_EQ(1U, repository().events_of(many.execution, "execution.resume_requested", 10).size());

    const Claim asked = launch();
    repository().request_pause(asked.execution, {.what = {.point = "ops"}, .actor = "bob"});
    EXPECT_EQ(Effect::withdrawn, resume(asked).effect);
    EXPECT_THAT(completed(asked.execution),
                ElementsAre(nlohmann::json{{"pause", 1}, {"how", "withdrawn"}, {"key", key_of_signal(asked, 1)}}));
    EXPECT_THAT(repository().events_of(asked.execution, "execution.res", 10), IsEmpty());
}

TEST_F(Waiting, TheOldOwnerIsFenced) {
    const Claim claim = paused({.point = "approve"});
    EXPECT_THROW(repository().end_execution(claim, {.status = BatchStatus::failed}), Error);
    resume(claim);
    EXPECT_THROW(repository().end_execution(claim, {.status = BatchStatus::failed}), Error);
    EXPECT_THROW(repository().rest_execution(claim, {}), Error);
}

TEST_F(Waiting, OfTwoResumersOneLosesAndIsToldWhoWon) {
    const Claim claim = paused({.point = "approve"});
    const std::int64_t seen = execution(claim.execution).pauses;
    EXPECT_EQ(ResumeAnswer::Effect::owned, resume(claim, {.seen = seen, .actor = "ann"}).effect);
    const ResumeAnswer lost = resume(claim, {.seen = seen, .actor = "bob"});
    EXPECT_EQ(ResumeAnswer::Effect::conflict, lost.effect);
    EXPECT_EQ(BatchStatus::started, lost.status);
    EXPECT_EQ("ann", lost.resumed_by);
}

TEST_F(Waiting, AResumeMeantForAnEarlierPauseIsTooLate) {
    const Claim claim = paused({.point = "approve"});
    const Claim again = claim_of(resume(claim));
    const StepEntry entry = repository().enter_step(again, "load", StepEntryMode::resume);
    repository().rest_step(entry.claim, {.progress = entry.state.progress, .pause = PauseRequest{.point = "approve"}});
    EXPECT_EQ(Rested::paused, repository().rest_execution(again, {}));
    EXPECT_EQ(ResumeAnswer::Effect::conflict, resume(claim, {.seen = 1, .actor = "bob"}).effect);
    EXPECT_EQ(BatchStatus::paused, status(claim));
    EXPECT_EQ(ResumeAnswer::Effect::owned, resume(claim, {.seen = 2, .actor = "bob"}).effect);
}

TEST_F(Waiting, SignalsAreCountedByTheirKeys) {
    const Claim claim = paused({.point = "approve", .signals = 2});
    const SignalAnswer first = send(claim, "a");
    EXPECT_EQ(Disposition::counted, first.disposition);
    EXPECT_EQ(1, first.counted);
    EXPECT_EQ(2, first.needed);
    const SignalAnswer again = send(claim, "a");
    EXPECT_EQ(Disposition::duplicate, again.disposition);
    EXPECT_EQ(Disposition::counted, again.first);
    EXPECT_EQ(1, again.counted);
    EXPECT_EQ(Disposition::conflict, send(claim, "a", {.payload = "7"}).disposition);
    EXPECT_EQ(BatchStatus::paused, status(claim));
    const SignalAnswer last = send(claim, "b");
    EXPECT_EQ(Disposition::applied, last.disposition);
    EXPECT_EQ(BatchStatus::starting, last.status);
    const ResumeAnswer answer = resume(claim);
    EXPECT_EQ(ResumeAnswer::Effect::owned, answer.effect);
    const StepEntry entry = repository().enter_step(claim_of(answer), "load", StepEntryMode::resume);
    EXPECT_EQ(2, repository().count_signals_for(claim.execution, {entry.state.own_pause, 0}));
}

TEST_F(Waiting, ASignalSentBeforeThePauseIsWaitingForIt) {
    const Claim claim = launch();
    EXPECT_EQ(Disposition::buffered, send(claim, "early").disposition);
    EXPECT_EQ(Disposition::buffered, send(claim, "second").disposition);
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const PauseOpened opened = repository().rest_step(
        entry.claim, {.progress = entry.state.progress, .pause = PauseRequest{.point = "approve"}});
    EXPECT_FALSE(opened.open);
    EXPECT_EQ(1, opened.epoch);
    EXPECT_EQ(BatchStatus::started, status(claim));
    EXPECT_EQ(Rested::goes_on, repository().rest_execution(claim, {}));
    EXPECT_EQ(Disposition::buffered, send(claim, "early").first);
    const StepEntry resumed = repository().enter_step(claim, "load", StepEntryMode::resume);
    const auto signals = repository().signals_for(claim.execution, {resumed.state.own_pause, 0});
    ASSERT_EQ(1U, signals.size());
    EXPECT_EQ("early", signals[0].key);
}

TEST_F(Waiting, SignalsSentBeforeCountAlsoIfMoreAreNeeded) {
    const Claim claim = launch();
    send(claim, "other", {.point = "elsewhere"});
    send(claim, "early");
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const PauseRequest what{.point = "approve", .signals = 2};
    EXPECT_TRUE(repository().rest_step(entry.claim, {.progress = entry.state.progress, .pause = what}).open);
    EXPECT_EQ(Rested::paused, repository().rest_execution(claim, {}));
    EXPECT_EQ(Disposition::duplicate, send(claim, "early").disposition);
    const SignalAnswer second = send(claim, "second");
    EXPECT_EQ(Disposition::applied, second.disposition);
    EXPECT_EQ(2, second.counted);
}

TEST_F(Waiting, ASignalThatNamesAPauseActsOnThatOneOnly) {
    const Claim claim = paused({.point = "approve"});
    EXPECT_EQ(Disposition::buffered, send(claim, "c", {.point = "elsewhere"}).disposition);
    EXPECT_EQ(Disposition::applied, send(claim, "d", {.pause = 1}).disposition);
    EXPECT_EQ(Disposition::stale, send(claim, "e", {.pause = 1}).disposition);
}

TEST_F(Waiting, ASignalToAPauseThatIsOverIsKeptAsSuch) {
    const Claim claim = paused({.point = "approve"});
    resume(claim);
    EXPECT_EQ(Disposition::stale, send(claim, "late", {.pause = 1}).disposition);
    const SignalAnswer again = send(claim, "late", {.pause = 1});
    EXPECT_EQ(Disposition::duplicate, again.disposition);
    EXPECT_EQ(Disposition::stale, again.first);
    EXPECT_EQ(1, repository().count_signals_for(claim.execution, {.own = 1})) << "the resume itself";
}

TEST_F(Waiting, OfTwoPausesAtAPointASignalIsForTheOneEnteredFirst) {
    const Claim claim = launch();
    const StepEntry one = repository().enter_step(claim, "one", StepEntryMode::start);
    const StepEntry two = repository().enter_step(claim, "two", StepEntryMode::start);
    const PauseRequest what{.point = "approve", .signals = 2};
    repository().rest_step(one.claim, {.progress = one.state.progress, .pause = what});
    repository().rest_step(two.claim, {.progress = two.state.progress, .pause = what});
    for (const auto& [key, pause] : {std::pair("a", 1), std::pair("b", 1), std::pair("c", 2)})
        EXPECT_EQ(pause, send(claim, key).pause) << key;
    EXPECT_EQ(Disposition::applied, send(claim, "d").disposition);
    EXPECT_EQ(Rested::goes_on, repository().rest_execution(claim, {}));
}

TEST_F(Waiting, ASignalWhileOthersStillRunLetsItGoOnWhenTheyRest) {
    const Claim claim = launch();
    const StepEntry one = repository().enter_step(claim, "one", StepEntryMode::start);
    repository().rest_step(one.claim, {.progress = one.state.progress, .pause = PauseRequest{.point = "approve"}});
    const SignalAnswer answer = send(claim, "a");
    EXPECT_EQ(Disposition::applied, answer.disposition);
    EXPECT_EQ(BatchStatus::pausing, answer.status);
    EXPECT_TRUE(execution(claim.execution).owner) << "it runs here, so nobody else goes on with it";
    EXPECT_EQ(Rested::goes_on, repository().rest_execution(claim, {}));
}

TEST_F(Waiting, APauseThatNeverWasIsASlipAndTheKeyIsNotUsedUp) {
    const Claim claim = paused({.point = "approve"});
    for (const int slip : {0, 7}) EXPECT_EQ(Disposition::stale, send(claim, "a", {.pause = slip}).disposition);
    EXPECT_EQ(Disposition::stale, send(claim, "a", {.point = "elsewhere", .pause = 1}).disposition);
    EXPECT_EQ(Disposition::applied, send(claim, "a", {.pause = 1}).disposition);
}

TEST_F(Waiting, APauseBehindTheStepThatRunsIsAGateOfTheInstance) {
    const Claim claim = launch();
    std::ignore = repository().enter_step(claim, "load", StepEntryMode::start);
    const auto ask = [&](const std::string& point, bool after_step) {
        OutsidePause request;
        request.what.point = point;
        request.after_step = after_step;
        request.actor = "ann";
        std::ignore = repository().request_pause(claim.execution, request);
    };
    ask("hold", false);
    ask("check", true);
    ask("sign", true);
    const auto gates = repository().unanswered_pauses(claim.instance);
    ASSERT_EQ(1U, gates.size()) << "what rests anywhere is no gate";
    ASSERT_EQ(2U, gates.at("load").size());
    EXPECT_EQ("check", gates.at("load")[0].what.point);
    EXPECT_EQ(PauseKind::outside, gates.at("load")[0].kind);
    EXPECT_EQ("ann", gates.at("load")[1].opened_by);

    std::ignore = repository().enter_step(claim, "other", StepEntryMode::start);
    ask("both", true);
    EXPECT_EQ(1U, repository().unanswered_pauses(claim.instance).size()) << "of two steps neither is meant";
}

TEST_F(Waiting, ASignalToWhatHasEndedOrIsStoppingDoesNothing) {
    const Claim claim = launch();
    repository().request_stop(claim.execution, {.actor = "bob"});
    EXPECT_EQ(Disposition::conflict, send(claim, "a").disposition);
    end(claim, BatchStatus::stopped);
    EXPECT_EQ(Disposition::finished, send(claim, "a").disposition);
    EXPECT_THROW(repository().signal(JobExecutionId(77), {.point = "x"}), Error);
}

TEST_F(Waiting, PausedIsLeftWhenAllPausesAreComplete) {
    const Claim claim = launch();
    const StepEntry one = repository().enter_step(claim, "one", StepEntryMode::start);
    const StepEntry two = repository().enter_step(claim, "two", StepEntryMode::start);
    repository().rest_step(one.claim, {.progress = one.state.progress, .pause = PauseRequest{.point = "a"}});
    repository().rest_step(two.claim, {.progress = two.state.progress, .pause = PauseRequest{.point = "b"}});
    EXPECT_EQ(Rested::paused, repository().rest_execution(claim, {}));
    EXPECT_EQ(ResumeAnswer::Effect::no_such_point, resume(claim, {.point = "c", .actor = "ann"}).effect);
    EXPECT_EQ(ResumeAnswer::Effect::still_paused, resume(claim, {.point = "a", .actor = "ann"}).effect);
    EXPECT_EQ("b", execution(claim.execution).waits.at(0).what.point);
    EXPECT_EQ(ResumeAnswer::Effect::owned, resume(claim, {.point = "b", .actor = "ann"}).effect);
}

TEST_F(Waiting, ARequestFromOutsideCanBeWithdrawnBeforeItTookEffect) {
    const Claim claim = launch();
    const PauseAnswer asked = repository().request_pause(claim.execution, {.what = {.point = "ops"}, .actor = "bob"});
    EXPECT_EQ(PauseAnswer::Effect::requested, asked.effect);
    EXPECT_TRUE(repository().poll(claim).pause_now);
    const PauseAnswer again = repository().request_pause(claim.execution, {.what = {.point = "ops"}, .actor = "ann"});
    EXPECT_EQ(PauseAnswer::Effect::already, again.effect);
    EXPECT_EQ(asked.since, again.since);
    EXPECT_EQ(BatchStatus::pausing, status(claim));
    EXPECT_EQ(ResumeAnswer::Effect::withdrawn, resume(claim).effect);
    EXPECT_EQ(BatchStatus::started, status(claim));
    EXPECT_FALSE(repository().poll(claim).pause_now);
    EXPECT_EQ(Rested::goes_on, repository().rest_execution(claim, {}));
}

TEST_F(Waiting, AResumeWhileOthersStillRunLetsItGoOnWhenTheyRest) {
    const Claim claim = launch();
    const StepEntry one = repository().enter_step(claim, "one", StepEntryMode::start);
    repository().rest_step(one.claim, {.progress = one.state.progress, .pause = PauseRequest{.point = "a"}});
    EXPECT_EQ(ResumeAnswer::Effect::completed, resume(claim).effect);
    EXPECT_EQ(BatchStatus::pausing, status(claim));
    EXPECT_EQ(Rested::goes_on, repository().rest_execution(claim, {}));
    EXPECT_EQ(BatchStatus::started, status(claim));
    EXPECT_EQ(1, repository().enter_step(claim, "one", StepEntryMode::resume).state.own_pause);
}

TEST_F(Waiting, WhatWasAskedWhileAnElementRanIsToldAsItEnds) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "check", StepEntryMode::start);
    repository().request_pause(claim.execution, {.what = {.point = "look"}, .after_step = true, .actor = "script"});
    const ElementRecorded ended = repository().end_step(
        entry.claim, {.status = BatchStatus::completed, .walk = {1, "check", "ran", "next", "which"}});
    EXPECT_EQ(BatchStatus::pausing, ended.requests.status);
    EXPECT_FALSE(ended.requests.pause_now);
    EXPECT_EQ(1, ended.requests.pauses);
    repository().request_stop(claim.execution, {.now = true, .actor = "ann"});
    const ElementRecorded decided = repository().record_walk(claim, {2, "which", "decided", "next", "x"});
    EXPECT_EQ(BatchStatus::stopping, decided.requests.status);
    EXPECT_TRUE(decided.requests.stop_now);
}

TEST_F(Waiting, APauseAfterAnElementIsPartOfTheWalk) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "check", StepEntryMode::start);
    const ElementRecorded recorded = repository().end_step(entry.claim, {.status = BatchStatus::completed,
                                                                         .walk = {1, "check", "ran", "next", "load"},
                                                                         .pause = PauseRequest{.point = "approve"}});
    EXPECT_TRUE(recorded.pause.open);
    EXPECT_EQ(BatchStatus::pausing, recorded.requests.status);
    EXPECT_EQ(1, repository().walk_of(claim.execution).at(0).pause);
    EXPECT_EQ(
        2,
        repository().record_walk(claim, {2, "which", "decided", "next", "x"}, {{.what = {.point = "b"}}}).pause.epoch);
    EXPECT_EQ(BatchStatus::pausing, status(claim));
    repository().rest_execution(claim, {});
    const Claim again = claim_of(resume(claim, {.payload = "1", .actor = "ann"}));
    const StepEntry load = repository().enter_step(again, "load", StepEntryMode::start, {.own = 1});
    EXPECT_EQ(1, load.state.own_pause);
    EXPECT_EQ(1U, repository().signals_for(claim.execution, {load.state.own_pause, 0}).size());
}

TEST_F(Waiting, AStopOrAnAbandonEndsWhatIsPausedAtOnce) {
    const Claim stopped = paused({.point = "approve"});
    EXPECT_EQ(StopAnswer::Effect::stopped, repository().request_stop(stopped.execution, {.actor = "bob"}).effect);
    EXPECT_EQ(BatchStatus::stopped, status(stopped));
    EXPECT_EQ(BatchStatus::stopped, repository().steps_of(stopped.execution).at(0).status);
    EXPECT_EQ(ResumeAnswer::Effect::conflict, resume(stopped).effect);
    const Claim abandoned = paused({.point = "approve"});
    EXPECT_EQ(BatchStatus::paused, repository().abandon(abandoned.execution, "ann"));
    EXPECT_EQ(BatchStatus::abandoned, status(abandoned));
    const Claim signalled = paused({.point = "approve"});
    send(signalled, "a");
    EXPECT_EQ(StopAnswer::Effect::stopped, repository().request_stop(signalled.execution, {.actor = "bob"}).effect);
    EXPECT_EQ(BatchStatus::stopped, status(signalled));
    const Claim next = restart(stopped.execution);
    const StepEntry entry = repository().enter_step(next, "load", StepEntryMode::start);
    EXPECT_EQ(0, entry.state.own_pause);
    EXPECT_EQ("10", entry.state.progress.reader);
}

TEST_F(Waiting, WhatWaitsIsNotRestartedRecoveredOrPurged) {
    const Claim claim = paused({.point = "approve"});
    const auto refused = repository().restart(claim.execution, {.actor = "ann"}, worker());
    EXPECT_EQ(RestartRefused::Reason::waits, std::get<RestartRefused>(refused).reason);
    EXPECT_FALSE(repository().adopt(claim.execution, worker(), "ann"));
    EXPECT_FALSE(repository().fail_lost(claim.execution, "ann"));
    EXPECT_FALSE(repository().owner_liveness(claim.execution));
    EXPECT_EQ(0, repository().purge({}).instances);
    send(claim, "a");
    EXPECT_EQ(BatchStatus::starting, status(claim));
    EXPECT_FALSE(repository().adopt(claim.execution, worker(), "ann"));
    EXPECT_EQ(PauseAnswer::Effect::paused,
              repository().request_pause(claim.execution, {.what = {.point = "ops"}, .actor = "bob"}).effect);
    EXPECT_EQ(BatchStatus::paused, status(claim));
    repository().request_stop(claim.execution, {.actor = "bob"});
    EXPECT_EQ(1, repository().purge({}).instances);
    for (const char* table : {"pause", "signal"})
        EXPECT_EQ(0, raw()->execute(std::string("SELECT COUNT(*) FROM ") + table)[0][0].integer());
}

TEST_F(Waiting, ADeadOwnerOfWhatIsPausingEntersNothing) {
    in_killed_process([&] {
        const Claim claim = launch();
        const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
        commit_chunk(entry, entry.state.progress);
        repository().request_pause(claim.execution, {.what = {.point = "ops"}, .actor = "bob"});
    });
    const JobExecutionId id = repository().latest(std::nullopt).value();
    EXPECT_TRUE(execution(id).owner_lost);
    EXPECT_TRUE(repository().pause_lost(id, "ann"));
    EXPECT_FALSE(repository().pause_lost(id, "ann"));
    EXPECT_EQ(BatchStatus::paused, execution(id).status);
    EXPECT_EQ(BatchStatus::paused, repository().steps_of(id).at(0).status);
    const ResumeAnswer answer = repository().resume(id, {.actor = "ann"}, worker());
    EXPECT_EQ(ResumeAnswer::Effect::owned, answer.effect);
    EXPECT_FALSE(answer.begun);
    const StepEntry entry = repository().enter_step(claim_of(answer), "load", StepEntryMode::resume);
    EXPECT_EQ(10, entry.state.progress.metrics.read);
    EXPECT_EQ(1, entry.state.deaths);
}

TEST_F(Waiting, TimeServesTheDeadlines) {
    const auto hour = std::chrono::hours(1);
    const Claim failing = paused({.point = "approve", .timeout = Duration(1)});
    const Claim stopping = paused({.point = "approve", .timeout = Duration(1), .on_timeout = OnTimeout::stop});
    const Claim going_on = paused({.point = "approve", .timeout = Duration(1), .on_timeout = OnTimeout::resume});
    const Claim waiting = paused({.point = "approve", .timeout = hour});
    const Claim signalled = paused({.point = "approve", .timeout = Duration(1)});
    send(signalled, "in time");
    EXPECT_TRUE(repository().has_duties());
    EXPECT_EQ(3U, repository().serve_deadlines("ann").size());
    EXPECT_FALSE(repository().has_duties());
    EXPECT_THAT(repository().serve_deadlines("ann"), IsEmpty());
    EXPECT_EQ(BatchStatus::failed, status(failing));
    EXPECT_EQ("fermata.PauseTimeout", execution(failing.execution).failure->error_class);
    EXPECT_EQ(BatchStatus::stopped, status(stopping));
    EXPECT_EQ(BatchStatus::starting, status(going_on));
    EXPECT_EQ(BatchStatus::paused, status(waiting));
    EXPECT_EQ(BatchStatus::starting, status(signalled));
    EXPECT_EQ(ResumeAnswer::Effect::owned, resume(going_on).effect);
}

struct TwoPauses : Waiting {
    /// PAUSED at "a" and "b": one step rests at each.
    Claim paused(PauseRequest a, PauseRequest b) {
        const Claim claim = launch();
        a.point = "a";
        b.point = "b";
        for (const PauseRequest& what : {a, b}) {
            const StepEntry entry = repository().enter_step(claim, "at " + what.point, StepEntryMode::start);
            repository().rest_step(entry.claim, {.progress = entry.state.progress, .pause = what});
        }
        EXPECT_EQ(Rested::paused, repository().rest_execution(claim, {}));
        return claim;
    }
};

TEST_F(TwoPauses, TimeServesOnlyWhatNobodyAnswered) {
    const Claim claim = paused({.timeout = Duration(1)}, {});
    EXPECT_EQ(Disposition::applied, send(claim, "in time", {.point = "a"}).disposition);
    EXPECT_FALSE(repository().has_duties());
    EXPECT_THAT(repository().serve_deadlines("ann"), IsEmpty());
    EXPECT_EQ(BatchStatus::paused, status(claim));
    EXPECT_EQ("signals", repository().pauses_of(claim.execution, 2).at(1).how);
}

TEST_F(TwoPauses, WhatTimeCompletesGoesOnWhenTheOthersAreComplete) {
    const Claim claim = paused({.timeout = Duration(1), .on_timeout = OnTimeout::resume}, {});
    EXPECT_EQ(1U, repository().serve_deadlines("ann").size());
    EXPECT_EQ(BatchStatus::paused, status(claim));
    EXPECT_EQ("b", execution(claim.execution).waits.at(0).what.point);
    EXPECT_EQ(Disposition::applied, send(claim, "k", {.point = "b"}).disposition);
    EXPECT_EQ(BatchStatus::starting, status(claim));
}

TEST_F(TwoPauses, AResumeCompletesThemAllAndItsPayloadBelongsToEach) {
    const Claim claim = paused({}, {.signals = 3});
    EXPECT_EQ(ResumeAnswer::Effect::owned, resume(claim, {.payload = "1", .actor = "ann"}).effect);
    for (const std::int64_t pause : {1, 2})
        EXPECT_EQ(1, repository().count_signals_for(claim.execution, {.own = pause})) << pause;
}

TEST_F(TwoPauses, TheDeadlineThatCameFirstDecides) {
    const Claim claim = paused({.timeout = Duration(1), .on_timeout = OnTimeout::stop}, {.timeout = Duration(1)});
    EXPECT_EQ(1U, repository().serve_deadlines("ann").size());
    EXPECT_EQ(BatchStatus::stopped, status(claim));
}

TEST_F(TwoPauses, ASignalLeavesTheOtherOneOpen) {
    const Claim claim = paused({.notify = "mail"}, {});
    EXPECT_TRUE(repository().has_duties());
    EXPECT_EQ(BatchStatus::paused, send(claim, "k", {.point = "a"}).status);
    EXPECT_FALSE(repository().has_duties()) << "nobody needs to be told any more";
    EXPECT_EQ(BatchStatus::paused, status(claim));
    EXPECT_EQ(BatchStatus::starting, send(claim, "k", {.point = "b"}).status) << "a key is used at one point";
}

TEST_F(Waiting, TimeServesNothingBeforeItIsPaused) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const PauseRequest what{.point = "approve", .timeout = Duration(1), .notify = "mail"};
    repository().rest_step(entry.claim, {.progress = entry.state.progress, .pause = what});
    EXPECT_EQ(BatchStatus::pausing, status(claim));
    EXPECT_FALSE(repository().has_duties());
    EXPECT_THAT(repository().serve_deadlines("ann"), IsEmpty());
    EXPECT_THAT(repository().take_notifications(), IsEmpty());
    repository().rest_execution(claim, {});
    EXPECT_THAT(repository().take_notifications(), ::testing::SizeIs(1));
    EXPECT_EQ(1U, repository().serve_deadlines("ann").size());
    EXPECT_THAT(repository().take_notifications(), IsEmpty()) << "it waits for nobody any more";
}

TEST_F(Waiting, ANotificationIsSentByTheProcessThatPausedUnlessItDied) {
    in_killed_process([&] { paused({.point = "approve", .notify = "mail"}); });
    EXPECT_TRUE(repository().has_duties());
    const auto taken = repository().take_notifications();
    ASSERT_EQ(1U, taken.size());
    EXPECT_EQ(1U, repository().take_notifications().size());  // still ours
    repository().notified(taken[0]);
    EXPECT_THAT(repository().take_notifications(), IsEmpty());
    EXPECT_FALSE(repository().has_duties());
}

TEST_F(Waiting, ANotificationIsNobodyElsesWhileTheProcessThatPausedLives) {
    paused({.point = "approve", .notify = "mail"});
    const auto file = folder_ / "taken elsewhere";
    in_killed_process([&] { std::ofstream(file) << repository().take_notifications().size(); });
    std::string taken;
    std::ifstream(file) >> taken;
    EXPECT_EQ("0", taken);
    EXPECT_EQ(1U, repository().take_notifications().size());
}

TEST_F(Waiting, ANotificationThatFailsIsTriedAgainLaterAndLater) {
    paused({.point = "approve", .notify = "mail"});
    std::vector<std::int64_t> delays;
    for (int attempt = 1; attempt <= 9; ++attempt) {
        const auto taken = repository().take_notifications();
        ASSERT_EQ(1U, taken.size());
        repository().not_notified(taken[0], "no such host");
        repository().not_notified(taken[0], "it is nobody's any more");
        EXPECT_FALSE(repository().has_duties());
        EXPECT_THAT(repository().take_notifications(), IsEmpty());
        const auto events = repository().events_of(taken[0].execution, "pause.notify_failed", 100);
        ASSERT_EQ(static_cast<std::size_t>(attempt), events.size());
        const auto said = nlohmann::json::parse(events.back().data);
        EXPECT_EQ(attempt, said["attempt"]);
        EXPECT_EQ(1, said["pause"]);
        EXPECT_EQ("no such host", said["error"]);
        const auto next = parse_rfc3339(said["next"].get<std::string>()).value();
        delays.push_back(std::chrono::round<std::chrono::seconds>(next - events.back().at).count());
        for (std::int64_t second = 0; second < delays.back(); ++second) (void)clock_.now();
        EXPECT_TRUE(repository().has_duties());
    }
    EXPECT_THAT(delays, ElementsAre(30, 60, 120, 240, 480, 960, 1920, 3600, 3600));
    repository().notified(repository().take_notifications().at(0));
    EXPECT_FALSE(repository().has_duties());
}

TEST_F(Waiting, WhatIsKeptForAPointIsTold) {
    const Claim claim = launch();
    EXPECT_THAT(repository().buffered_signals_of(claim.execution, 10), IsEmpty());
    send(claim, "early");
    send(claim, "typo", {.point = "aprove", .payload = "1"});
    const auto kept = repository().buffered_signals_of(claim.execution, 10);
    ASSERT_EQ(2U, kept.size());
    EXPECT_EQ("early", kept[0].key);
    EXPECT_EQ("aprove", kept[1].point);
    EXPECT_EQ("1", kept[1].payload);
    EXPECT_EQ("ann", kept[1].sender);
    EXPECT_EQ(1U, repository().buffered_signals_of(claim.execution, 1).size());
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().rest_step(entry.claim, {.progress = {}, .pause = PauseRequest{.point = "approve"}});
    EXPECT_EQ(1U, repository().buffered_signals_of(claim.execution, 10).size());
    end(claim, BatchStatus::failed);
}

TEST_F(Waiting, AnEndClosesWhatIsOpenAndWhatRestsBelowIt) {
    const Claim claim = launch();
    StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().store_plan(entry, {.partitions = 2});
    const StepEntry zero = repository().enter_partition(entry.claim, 0, StepEntryMode::start);
    repository().rest_partition(zero.claim, {.progress = {.sequence = 1}, .pause = PauseRequest{.point = "a"}});
    EXPECT_EQ(0, repository().pauses_of(claim.execution, 1).at(0).partition);
    EXPECT_EQ(BatchStatus::paused, repository().partitions_of(entry.claim.id).at(0).status);
    repository().enter_partition(entry.claim, 0, StepEntryMode::resume);
    end(claim, BatchStatus::failed);
    EXPECT_EQ(BatchStatus::failed, repository().partitions_of(entry.claim.id).at(0).status);
    EXPECT_EQ("ended", repository().pauses_of(claim.execution, 1).at(0).how);
}

TEST_F(Waiting, AResumeCostsTheSameHoweverManyWereBefore) {
    Claim claim = paused({.point = "approve"});
    const auto statements_of_one = [&] {
        const std::int64_t before = repository().statement_count();
        claim = claim_of(resume(claim));
        const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::resume);
        repository().rest_step(entry.claim,
                               {.progress = entry.state.progress, .pause = PauseRequest{.point = "approve"}});
        EXPECT_EQ(Rested::paused, repository().rest_execution(claim, {}));
        return repository().statement_count() - before;
    };
    const std::int64_t first = statements_of_one();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(first, statements_of_one());
    const auto summary = repository().pause_summary(claim.execution);
    ASSERT_EQ(1U, summary.size());
    EXPECT_EQ(52, summary[0].pauses);
    EXPECT_EQ(1U, execution(claim.execution).waits.size());
    EXPECT_EQ(1U, repository().steps_of(claim.execution).size());
}

// --- the last step rests together with its execution, and is resumed by who let it rest

struct Together : Waiting {
    StepEntry entered() {
        const StepEntry entry = repository().enter_step(launch(), "load", StepEntryMode::start);
        return {entry.claim, {.progress = commit_chunk(entry, entry.state.progress)}};
    }
    RestedTogether rest(const StepEntry& entry,
                        const std::optional<PauseRequest>& what = PauseRequest{.point = "approve"}) {
        return repository().rest_together(entry.claim, {.progress = entry.state.progress, .pause = what}, "HALF");
    }
    ResumedInto resume_into(const StepEntry& entry, const ResumeRequest& request = {.actor = "ann"}) {
        return repository().resume_into(entry.claim.execution.execution, request, worker(), entry.claim);
    }
};

TEST_F(Together, BothArePausedAsIfOneHadComeAfterTheOther) {
    const StepEntry entry = entered();
    const Claim& claim = entry.claim.execution;
    const RestedTogether rested = rest(entry);
    EXPECT_TRUE(rested.paused);
    EXPECT_FALSE(rested.notifies);
    EXPECT_TRUE(rested.pause.open);
    EXPECT_EQ(1, rested.pause.epoch);
    const JobExecution e = execution(claim.execution);
    EXPECT_EQ(BatchStatus::paused, e.status);
    EXPECT_FALSE(e.owner);
    EXPECT_EQ("HALF", e.exit_status);
    ASSERT_EQ(1U, e.waits.size());
    EXPECT_EQ("load", e.waits[0].element);
    EXPECT_EQ(BatchStatus::paused, repository().steps_of(claim.execution).at(0).status);
    EXPECT_EQ(0, raw()->execute("SELECT COUNT(*) FROM worker")[0][0].integer());
    EXPECT_THROW(rest(entry), Error) << "it is nobody's";
}

TEST_F(Together, OnlyTheStepRestsIfWhatItAskedForHadCome) {
    const StepEntry entry = entered();
    send(entry.claim.execution, "early");
    const RestedTogether rested = rest(entry);
    EXPECT_FALSE(rested.paused);
    EXPECT_FALSE(rested.pause.open);
    EXPECT_EQ(1, rested.pause.epoch);
    EXPECT_EQ(BatchStatus::started, status(entry.claim.execution));
    const StepEntry again = repository().enter_step(entry.claim.execution, "load", StepEntryMode::resume);
    EXPECT_EQ(1, again.state.own_pause);
}

TEST_F(Together, ItRestsForWhatOthersAskedForToo) {
    const StepEntry entry = entered();
    repository().request_pause(entry.claim.execution.execution, {.what = {.point = "operator"}, .actor = "ann"});
    const RestedTogether rested = rest(entry, std::nullopt);
    EXPECT_TRUE(rested.paused);
    EXPECT_EQ(0, rested.pause.epoch);
    EXPECT_EQ(BatchStatus::paused, status(entry.claim.execution));
}

TEST_F(Together, AStopThatCameFirstLetsOnlyTheStepRest) {
    const StepEntry entry = entered();
    repository().request_stop(entry.claim.execution.execution, {.actor = "ann"});
    const RestedTogether rested = rest(entry);
    EXPECT_FALSE(rested.paused);
    EXPECT_EQ(0, rested.pause.epoch);
    EXPECT_EQ(BatchStatus::stopping, status(entry.claim.execution));
    EXPECT_EQ(BatchStatus::paused, repository().steps_of(entry.claim.execution.execution).at(0).status);
    repository().end_execution(entry.claim.execution, {.status = BatchStatus::stopped, .exit_status = "STOPPED"});
}

TEST_F(Together, WhoIsToNotifyIsTold) {
    const StepEntry entry = entered();
    EXPECT_TRUE(rest(entry, PauseRequest{.point = "approve", .notify = "true"}).notifies);
    EXPECT_EQ(1U, repository().take_notifications().size());
}

TEST_F(Together, WhoLetItRestGoesOnInItsStep) {
    const StepEntry entry = entered();
    rest(entry);
    const ResumedInto resumed = resume_into(entry, {.payload = "1", .actor = "ann"});
    EXPECT_EQ(ResumeAnswer::Effect::owned, resumed.answer.effect);
    ASSERT_TRUE(resumed.entered);
    EXPECT_EQ(entry.claim.id, resumed.entered->claim.id);
    EXPECT_EQ(entry.claim.epoch + 1, resumed.entered->claim.epoch);
    EXPECT_EQ(entry.state.progress.sequence, resumed.entered->state.progress.sequence);
    EXPECT_EQ(1, resumed.entered->state.own_pause);
    EXPECT_EQ(0, resumed.outside_pause);
    EXPECT_EQ("HALF", resumed.exit_status);
    EXPECT_EQ(BatchStatus::started, resumed.requests.status);
    EXPECT_EQ(1, resumed.requests.pauses);
    EXPECT_EQ(entry.claim.execution.instance_uuid, resumed.answer.instance_uuid);
    EXPECT_EQ(1U, repository().signals_for(entry.claim.execution.execution, {.own = 1, .outside = 0}).size());
    commit_chunk(*resumed.entered, resumed.entered->state.progress);
    EXPECT_EQ(BatchStatus::started, repository().steps_of(entry.claim.execution.execution).at(0).status);
}

TEST_F(Together, NobodyGoesOnInAStepThatSomebodyElseHasHadMeanwhile) {
    const StepEntry entry = entered();
    rest(entry);
    const Claim other = claim_of(resume(entry.claim.execution));
    const StepEntry again = repository().enter_step(other, "load", StepEntryMode::resume);
    rest(again);
    const ResumedInto resumed = resume_into(entry);
    EXPECT_EQ(ResumeAnswer::Effect::owned, resumed.answer.effect);
    EXPECT_FALSE(resumed.entered);
    EXPECT_EQ(entry.claim.execution.instance_uuid, resumed.answer.instance_uuid);
    EXPECT_EQ(BatchStatus::paused, repository().steps_of(other.execution).at(0).status);
    EXPECT_EQ(ResumeAnswer::Effect::conflict, resume_into(entry).answer.effect);
}

TEST_F(Together, APauseFromOutsideIsPassedOnToTheStepThatGoesOn) {
    const StepEntry entry = entered();
    repository().request_pause(entry.claim.execution.execution, {.what = {.point = "operator"}, .actor = "ann"});
    rest(entry, std::nullopt);
    const ResumedInto resumed = resume_into(entry);
    ASSERT_TRUE(resumed.entered);
    EXPECT_EQ(1, resumed.outside_pause);
    EXPECT_EQ(1, resumed.entered->state.outside_pause);
}

TEST_F(Together, WhatWasSentFromOutsideStaysWithTheStepUntilARestart) {
    const StepEntry entry = entered();
    repository().request_pause(entry.claim.execution.execution, {.what = {.point = "operator"}, .actor = "ann"});
    rest(entry, std::nullopt);
    const Claim claim = resume_into(entry).entered.value().claim.execution;
    const StepEntry again = repository().enter_step(claim, "load", StepEntryMode::adopt);
    EXPECT_EQ(1, again.state.outside_pause) << "also after a take-over";
    end_step(again, BatchStatus::failed);
    end(claim, BatchStatus::failed);
    const StepEntry anew = repository().enter_step(restart(claim.execution), "load", StepEntryMode::start);
    EXPECT_EQ(0, anew.state.outside_pause);
}

TEST_F(Together, AResumeThatLeavesOtherPausesOpenEntersNothing) {
    const StepEntry entry = entered();
    repository().request_pause(entry.claim.execution.execution, {.what = {.point = "operator"}, .actor = "ann"});
    rest(entry);
    const ResumedInto resumed = resume_into(entry, {.point = "approve", .actor = "ann"});
    EXPECT_EQ(ResumeAnswer::Effect::still_paused, resumed.answer.effect);
    EXPECT_FALSE(resumed.entered);
    EXPECT_TRUE(resume_into(entry).entered);
}

TEST_F(Together, ATripCostsTheSameHoweverManyWereBefore) {
    StepEntry entry = entered();
    rest(entry);
    const auto statements_of_one = [&] {
        const std::int64_t before = repository().statement_count();
        entry = resume_into(entry).entered.value();
        EXPECT_TRUE(rest(entry).paused);
        return repository().statement_count() - before;
    };
    const std::int64_t first = statements_of_one();
    for (int i = 0; i < 50; ++i) EXPECT_EQ(first, statements_of_one());
    EXPECT_LE(first, 36) << "of two transactions";
}

TEST_F(Waiting, HistoryOfWaitingIsNotChanged) {
    const Claim claim = paused({.point = "approve"});
    send(claim, "a");
    EXPECT_THROW(raw()->execute("UPDATE pause SET counted = 9"), ConstraintError);
    EXPECT_THROW(raw()->execute("UPDATE signal SET sender = 'eve'"), ConstraintError);
    EXPECT_THROW(raw()->execute("DELETE FROM pause"), ConstraintError);
    EXPECT_THROW(raw()->execute("DELETE FROM signal"), ConstraintError);
}

}  // namespace
}  // namespace fermata::testing
