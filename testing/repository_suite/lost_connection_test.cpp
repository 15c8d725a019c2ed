// The connection goes away at every statement of every verb, and around every commit: the verb is done, once.
#include <fermata/testing/breaking.hpp>
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/scenes.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace fermata::testing {
namespace {

using ::testing::IsEmpty;

class LosingConnection : public RepositorySuite {
protected:
    struct Outcome {
        std::string answer;
        std::string picture;
        bool operator==(const Outcome&) const = default;
    };
    using MakeScene = Scene (*)(Repository&, const std::string&);

    Repository& losing() {
        if (!losing_) {
            repository();
            losing_ =
                std::make_unique<Repository>(breaking(database_in(folder_), break_), folder_ / "data", false, clock_);
            std::ignore = losing_->latest(std::nullopt);  // from here on both connections are open
        }
        return *losing_;
    }
    // Each time for a job of its own. Nothing if the break lay beyond the verb's end.
    std::optional<Outcome> outcome(MakeScene make, const Verb& verb, const Break& broken) {
        const std::string job = fmt::format("job {}", ++jobs_);
        const Scene scene = make(repository(), job);
        Repository& store = losing();
        break_ = broken;
        Outcome result{verb.run(store, worker(), scene), {}};
        const bool reached = break_.left == 0;
        break_ = {};
        if (!reached) return std::nullopt;
        // A chunk that was lost is nobody's to do again but the runtime's.
        if (result.answer == "the connection is gone") result.answer = verb.run(store, worker(), scene);
        result.picture = picture_of(repository(), job);
        const std::size_t number = result.picture.find(job);
        if (number != std::string::npos) result.picture.replace(number, job.size(), "job");
        return result;
    }
    void survives(MakeScene make, const Verb& verb) {
        const Outcome wanted = outcome(make, verb, {}).value();
        for (const auto how : {Break::How::instead, Break::How::after}) {
            for (int n = 1;; ++n) {
                SCOPED_TRACE(
                    fmt::format("{}: broken {} call {}", verb.name, how == Break::How::after ? "after" : "at", n));
                const auto found = outcome(make, verb, {n, how});
                if (!found) break;
                EXPECT_EQ(wanted.answer, found->answer);
                EXPECT_EQ(wanted.picture, found->picture);
            }
        }
    }
    Break break_;
    int jobs_ = 0;
    std::unique_ptr<Repository> losing_;
};

TEST_F(LosingConnection, TheOwnersVerbsAreDoneOnce) {
    for (const Verb& verb : owner_verbs()) survives(live_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, TheVerbsOfPartitionsAreDoneOnce) {
    for (const Verb& verb : partition_verbs()) survives(partitioned_scene, verb);
    for (const Verb& verb : claimed_partition_verbs()) survives(shared_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, WhatIsSubmittedToAServerIsThereOnce) {
    if (!repository().database().dialect().concurrent_writers) GTEST_SKIP() << "for verbs that are tried again";
    for (const bool with_key : {false, true})
        for (const auto how : {Break::How::instead, Break::How::after})
            for (int n = 1;; ++n) {
                LaunchRequest asked = request(fmt::format("job {}", ++jobs_));
                if (with_key) asked.instance_key = "today";
                SCOPED_TRACE(fmt::format("broken {} call {}", how == Break::How::after ? "after" : "at", n));
                Repository& store = losing();
                break_ = {n, how};
                const auto answer = store.submit(asked);
                const bool reached = break_.left == 0;
                break_ = {};
                ASSERT_TRUE(std::holds_alternative<JobExecutionId>(answer));
                const auto made = repository().find_executions({.job_name = asked.definition.job_name});
                ASSERT_EQ(1U, made.size());
                EXPECT_EQ(std::get<JobExecutionId>(answer), made.front().id);
                EXPECT_EQ(asked.parameters, made.front().parameters);
                EXPECT_EQ(1U, repository().events_of(made.front().id, "", 10).size());
                if (!reached) break;
            }
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, RequestsToALiveOwnerAreDoneOnce) {
    for (const Verb& verb : requests()) survives(live_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, RequestsAboutWhatHasFailedAreDoneOnce) {
    for (const Verb& verb : requests()) survives(failed_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, RequestsAboutADeadOwnerAreDoneOnce) {
    for (const Verb& verb : requests()) survives(lost_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, RequestsAboutWhatIsPausedAreDoneOnce) {
    for (const Verb& verb : requests()) survives(paused_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, OfTheOwnerOfWhatIsPausingAreDoneOnce) {
    for (const Verb& verb : owner_verbs()) survives(pausing_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(LosingConnection, RequestsAboutWhatIsPausingWithADeadOwnerAreDoneOnce) {
    for (const Verb& verb : requests()) survives(lost_pausing_scene, verb);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

// --- two of the same kind at one instant: the verdict on the second takes the first for it if it goes by the time

class StandingClock final : public Clock {
public:
    [[nodiscard]] Timestamp now() const override { return from_micros(1'900'000'000'000'000); }
};

class StandingStill : public LosingConnection {
protected:
    StandingStill() {
        repository();
        still_ =
            std::make_unique<Repository>(breaking(database_in(folder_), break_), folder_ / "data", false, still_clock_);
        std::ignore = still_->latest(std::nullopt);
    }
    // Runs `verb` with a break at each of its calls, and after each, until one lies beyond its end.
    void at_every_call(const std::function<void()>& verb) {
        for (const auto how : {Break::How::instead, Break::How::after})
            for (int n = 1;; ++n) {
                SCOPED_TRACE(fmt::format("broken {} call {}", how == Break::How::after ? "after" : "at", n));
                broken_ = {n, how};
                verb();
                const bool reached = break_.left == 0;
                break_ = {};
                if (!reached) break;
            }
    }
    /// As at_every_call, but what was lost comes back only after `meanwhile`, at the same instant.
    void at_every_call(const std::function<void()>& verb, const std::function<void(Repository&)>& meanwhile) {
        Repository other(database_in(folder_), folder_ / "data", false, still_clock_);
        std::ignore = other.latest(std::nullopt);
        at_every_call([&] {
            broken_.meanwhile = [&] { meanwhile(other); };
            verb();
        });
    }
    Claim resumed(JobExecutionId id) {
        const ResumeAnswer answer = still_->resume(id, {.payload = "1", .actor = "ann"}, worker());
        EXPECT_EQ(ResumeAnswer::Effect::owned, answer.effect);
        return {answer.execution, answer.instance, answer.instance_uuid, answer.epoch};
    }
    void rest(const StepEntry& entry) {
        const StepRest how{.progress = entry.state.progress, .pause = PauseRequest{.point = "approve"}};
        EXPECT_TRUE(still_->rest_together(entry.claim, how, {}).paused);
    }
    StandingClock still_clock_;
    std::unique_ptr<Repository> still_;
    Break broken_;
};

TEST_F(StandingStill, AResumeIsNotTakenForTheOneBefore) {
    at_every_call([&] {
        const StepEntry entry = still_->enter_step(launch(), "load", StepEntryMode::start);
        rest(entry);
        const Claim first = resumed(entry.claim.execution.execution);
        rest(still_->enter_step(first, "load", StepEntryMode::resume));
        break_ = broken_;
        const Claim second = resumed(first.execution);
        EXPECT_EQ(first.epoch + 1, second.epoch);
        EXPECT_EQ(second.epoch, execution(first.execution).epoch);
        EXPECT_EQ(BatchStatus::started, execution(first.execution).status);
        EXPECT_EQ(2, raw()
                         ->execute("SELECT COUNT(*) FROM event WHERE execution_id = $1 AND kind = 'execution.resumed'",
                                   {Value(first.execution.value())})[0][0]
                         .integer());
    });
}

TEST_F(StandingStill, ASignalIsNotTakenForAnotherOfItsKey) {
    using Disposition = SignalAnswer::Disposition;
    JobExecutionId id(0);
    const auto sent = [&](Repository& store, const std::string& payload) {
        return store.signal(id, {.point = "approve", .key = "k", .payload = payload, .sender = "ann"});
    };
    SignalAnswer others;
    at_every_call(
        [&] {
            id = launch().execution;
            break_ = broken_;
            const SignalAnswer mine = sent(*still_, "1");
            const bool reached = break_.left == 0;
            const auto kept = repository().buffered_signals_of(id, 2);
            ASSERT_EQ(1U, kept.size());
            const bool is_mine = kept[0].payload == "1";
            EXPECT_EQ(is_mine ? Disposition::buffered : Disposition::conflict, mine.disposition);
            if (reached) {
                EXPECT_EQ(is_mine ? Disposition::conflict : Disposition::buffered, others.disposition);
            }
        },
        [&](Repository& other) { others = sent(other, "2"); });
}

TEST_F(StandingStill, APauseIsNotTakenForAnothers) {
    JobExecutionId id(0);
    const auto ask = [&](Repository& store, const std::string& point) {
        return store.request_pause(id, {.what = {.point = point}, .actor = "ann"});
    };
    at_every_call(
        [&] {
            id = launch().execution;
            break_ = broken_;
            const PauseAnswer mine = ask(*still_, "mine");
            EXPECT_EQ(PauseAnswer::Effect::requested, mine.effect);
            const auto waits = execution(id).waits;
            const auto found = std::ranges::find(waits, mine.epoch, &Pause::epoch);
            ASSERT_NE(waits.end(), found);
            EXPECT_EQ("mine", found->what.point);
        },
        [&](Repository& other) { ask(other, "other"); });
}

TEST_F(StandingStill, AStopAtOnceIsNotTakenForOneThatLeavesTime) {
    Claim claim;
    at_every_call(
        [&] {
            claim = launch();
            break_ = broken_;
            still_->request_stop(claim.execution, {.now = true, .actor = "ann"});
            EXPECT_EQ(BatchStatus::stopping, execution(claim.execution).status);
            EXPECT_TRUE(repository().poll(claim).stop_now);
        },
        [&](Repository& other) { other.request_stop(claim.execution, {.actor = "ann"}); });
}

TEST_F(StandingStill, SavedProgressIsNotTakenForTheOneBefore) {
    const Event skipped{.kind = "item.skipped", .actor = "", .data = R"({"position":"7"})"};
    at_every_call([&] {
        const StepEntry entry = still_->enter_step(launch(), "load", StepEntryMode::start);
        still_->save_progress(entry.claim, {.sequence = 1});
        break_ = broken_;
        still_->save_progress(entry.claim, {.sequence = 2}, std::span(&skipped, 1));
        still_->save_progress(entry.claim, {.sequence = 3});
        const JobInstanceId instance = entry.claim.execution.instance;
        EXPECT_EQ(3, repository().steps_of_instance(instance).at("load").progress.sequence);
        EXPECT_EQ(1U, repository().events_of(entry.claim.execution.execution, "item.skipped", 10).size());
    });
}

}  // namespace
}  // namespace fermata::testing
