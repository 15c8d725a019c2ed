// Stopping one step while its job goes on, as the store knows it.
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/scenes.hpp>

#include <gmock/gmock.h>

namespace fermata::testing {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using Effect = StepStopAnswer::Effect;

struct StepStops : RepositorySuite {
    ~StepStops() override { EXPECT_THAT(repository().verify(), IsEmpty()); }

    StepStopAnswer ask(const Claim& claim, const std::string& step = "load", bool now = false) {
        return repository().request_step_stop(claim.execution, {.step = step, .now = now, .actor = "ann"});
    }
    void end_cut(const StepEntry& entry, const Progress& progress, bool partitioned = false) {
        repository().end_step(entry.claim, {.status = BatchStatus::completed,
                                            .exit_status = "STEP_STOPPED",
                                            .progress = progress,
                                            .walk = {1, "load", "ran", "next", "check"},
                                            .partitioned = partitioned,
                                            .cut = CutShort{progress.metrics.read, "vendors.csv:10"}});
    }
    [[nodiscard]] std::vector<std::string> stopped(const Claim& claim) {
        std::vector<std::string> names;
        for (const StepCut& cut : repository().step_stops_asked(claim)) names.push_back(cut.step);
        return names;
    }
};

TEST_F(StepStops, ARequestIsARowAndTheOwnerHearsOfItWithItsNextCommit) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    EXPECT_EQ(0, repository().poll(claim).cuts);
    const StepStopAnswer answer = ask(claim);
    EXPECT_EQ(Effect::requested, answer.effect);
    EXPECT_EQ(BatchStatus::started, answer.status);
    EXPECT_EQ(BatchStatus::started, answer.step);
    EXPECT_FALSE(answer.owner_lost);
    EXPECT_EQ(1, repository().poll(claim).cuts);
    auto unit = repository().unit();
    const Requests requests = unit.commit(entry.claim, {.sequence = 1});
    EXPECT_EQ(1, requests.cuts);
    EXPECT_EQ(BatchStatus::started, requests.status);
    EXPECT_THAT(stopped(claim), ElementsAre("load"));
}

TEST_F(StepStops, WhoCutItShortAndAfterWhichItemIsKept) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const Progress progress = commit_chunk(entry, entry.state.progress);
    const StepStopAnswer answer = ask(claim);
    EXPECT_FALSE(repository().cuts_of(claim.instance).at(0).after);
    end_cut(entry, progress);
    EXPECT_THAT(stopped(claim), IsEmpty());
    const auto cuts = repository().cuts_of(claim.instance);
    ASSERT_THAT(cuts, SizeIs(1));
    EXPECT_EQ(claim.execution, cuts[0].execution);
    EXPECT_EQ(entry.claim.id, cuts[0].step_execution);
    EXPECT_EQ("load", cuts[0].step);
    EXPECT_EQ("ann", cuts[0].by);
    EXPECT_EQ(answer.since, cuts[0].at);
    EXPECT_EQ(10, cuts[0].after);
    EXPECT_EQ("vendors.csv:10", cuts[0].position);
    end(claim, BatchStatus::completed);
    EXPECT_THAT(kinds(claim.execution), ElementsAre("execution.started", "step.started", "step.stop_requested",
                                                    "step.ended", "step.cut", "execution.ended"));
    const Event event = repository().events_of(claim.execution, "step.cut", 1).at(0);
    EXPECT_EQ("ann", event.actor);
    EXPECT_THAT(event.data, HasSubstr(R"("after":10)"));
    EXPECT_THAT(event.data, HasSubstr(R"("position":"vendors.csv:10")"));
}

TEST_F(StepStops, AskingAgainSaysSinceWhenAndMayRaiseIt) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    const StepStopAnswer first = ask(claim);
    const StepStopAnswer again = ask(claim);
    EXPECT_EQ(Effect::already, again.effect);
    EXPECT_EQ(first.since, again.since);
    EXPECT_EQ(1, repository().poll(claim).cuts);
    EXPECT_EQ(Effect::already, ask(claim, "load", true).effect);
    EXPECT_EQ(2, repository().poll(claim).cuts);
    EXPECT_TRUE(repository().step_stops_asked(claim).at(0).now);
    EXPECT_EQ(first.since, repository().step_stops_asked(claim).at(0).at);
    EXPECT_EQ(Effect::already, ask(claim, "load", true).effect);
    EXPECT_EQ(2, repository().poll(claim).cuts);
    end_step(entry, BatchStatus::completed);
}

TEST_F(StepStops, AStepThatEndedByItselfWasNotCutShort) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    ask(claim);
    end_step(entry, BatchStatus::completed);
    EXPECT_FALSE(repository().cuts_of(claim.instance).at(0).after);
    EXPECT_EQ(Effect::step_not_running, ask(claim).effect);
    EXPECT_EQ(BatchStatus::completed, ask(claim).step);
}

TEST_F(StepStops, OnlyAStepThatRunsCanBeAsked) {
    const Claim claim = launch();
    EXPECT_EQ(Effect::step_not_running, ask(claim).effect);
    EXPECT_FALSE(ask(claim).step);
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    repository().request_stop(claim.execution, {.actor = "bob"});
    EXPECT_EQ(Effect::not_running, ask(claim).effect) << "it is STOPPING as a whole";
    end_step(entry, BatchStatus::stopped);
    end(claim, BatchStatus::stopped);
    EXPECT_EQ(Effect::not_running, ask(claim).effect);
    EXPECT_EQ(BatchStatus::stopped, ask(claim).status);
    EXPECT_THROW(repository().request_step_stop(JobExecutionId(99), {.step = "load"}), Error);
    EXPECT_THAT(repository().cuts_of(claim.instance), IsEmpty());
}

TEST_F(StepStops, AStepThatRestsCannotBeAskedAndOneThatWasAskedBeforeRemembersIt) {
    const Scene paused = paused_scene(repository(), "paused");
    EXPECT_EQ(Effect::not_running, ask(paused.claim).effect);
    const Scene pausing = pausing_scene(repository(), "pausing");
    EXPECT_EQ(Effect::requested, ask(pausing.claim).effect) << "what runs while others rest is still running";
    repository().rest_step(pausing.load, {.progress = pausing.committed});
    EXPECT_EQ(Effect::step_not_running, ask(pausing.claim).effect);
    EXPECT_EQ(BatchStatus::paused, ask(pausing.claim).step);
    EXPECT_THAT(stopped(pausing.claim), ElementsAre("load"));
}

TEST_F(StepStops, ADeadOwnersAdopterIsTold) {
    const Scene lost = lost_scene(repository(), "lost");
    const StepStopAnswer answer = ask(lost.claim);
    EXPECT_EQ(Effect::requested, answer.effect);
    EXPECT_TRUE(answer.owner_lost);
    const Claim adopted = repository().adopt(lost.claim.execution, worker(), "bob").value();
    EXPECT_EQ(1, repository().poll(adopted).cuts);
    EXPECT_THAT(stopped(adopted), ElementsAre("load"));
}

TEST_F(StepStops, ItIsOfOneExecution) {
    const Claim claim = launch();
    const StepEntry entry = repository().enter_step(claim, "load", StepEntryMode::start);
    ask(claim);
    end_step(entry, BatchStatus::failed);
    end(claim, BatchStatus::failed);
    const Claim again = restart(claim.execution);
    const StepEntry second = repository().enter_step(again, "load", StepEntryMode::start);
    EXPECT_EQ(0, repository().poll(again).cuts);
    EXPECT_THAT(stopped(again), IsEmpty());
    // Its files were being put in place when its owner died: whoever finishes that records who had asked.
    end_cut(second, {.sequence = 1});
    const auto cuts = repository().cuts_of(claim.instance);
    ASSERT_THAT(cuts, SizeIs(2));
    EXPECT_EQ("ann", cuts[1].by);
    EXPECT_EQ(0, cuts[1].after);
}

TEST_F(StepStops, PartitionsThatWereNotBegunAreCut) {
    const Scene scene = partitioned_scene(repository(), "sliced");
    ask(scene.claim);
    repository().end_partition(
        scene.slice, {.status = BatchStatus::completed, .exit_status = "STEP_STOPPED", .progress = scene.sliced});
    end_cut({.claim = scene.load, .state = {}}, scene.committed, true);
    std::vector<std::string> found;
    for (const PartitionExecution& p : repository().partitions_of(scene.load.id))
        found.push_back(std::string(to_string(p.status)) + " " + p.exit_status.value_or("-"));
    EXPECT_THAT(found, ElementsAre("COMPLETED STEP_STOPPED", "STOPPED cut", "COMPLETED -"));
}

}  // namespace
}  // namespace fermata::testing
