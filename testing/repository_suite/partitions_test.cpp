// Partitions in the store: the plan, claims, commits beside each other, ends, what a restart and a lost owner find.
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <thread>

namespace fermata::testing {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Slices : RepositorySuite {
    StepEntry enter(const Claim& claim, StepEntryMode mode = StepEntryMode::start) {
        return repository().enter_step(claim, "slices", mode);
    }
    StoredPlan plan(StepEntry& step, std::int64_t count) {
        return repository().store_plan(step, {.partitions = count, .properties = properties(count)});
    }
    static std::vector<Parameters> properties(std::int64_t count) {
        std::vector<Parameters> all;
        for (std::int64_t i = 0; i < count; ++i) all.push_back({{"n", std::to_string(i)}});
        return all;
    }
    StepEntry enter_slice(const StepEntry& step, std::int64_t number, StepEntryMode mode = StepEntryMode::start) {
        return repository().enter_partition(step.claim, number, mode);
    }
    void end_slice(const StepEntry& slice, BatchStatus status, const Progress& progress = {}) {
        repository().end_partition(
            slice.claim, {.status = status, .exit_status = std::string(to_string(status)), .progress = progress});
    }
    void end_slices(const StepEntry& step, BatchStatus status, const Metrics& sum = {}) {
        Progress progress = step.state.progress;
        progress.metrics = sum;
        repository().end_step(
            step.claim,
            {.status = status, .progress = progress, .walk = {1, "slices", "ran", "finish", ""}, .partitioned = true});
    }
    static std::vector<std::int64_t> numbers(const StoredPlan& plan) {
        std::vector<std::int64_t> found;
        for (const PartitionExecution& each : plan.partitions) found.push_back(each.number);
        return found;
    }
    /// Three partitions: 0 COMPLETED after a chunk, 1 in the middle of its second one when the owner is killed, 2 not
    /// entered.
    JobExecutionId lost_slices() {
        in_killed_process([&] {
            StepEntry step = enter(launch());
            plan(step, 3);
            const StepEntry first = enter_slice(step, 0);
            end_slice(first, BatchStatus::completed, commit_chunk(first, first.state.progress));
            const StepEntry second = enter_slice(step, 1);
            commit_chunk(second, second.state.progress, 5);
        });
        return repository().latest(std::nullopt).value();
    }
};

TEST_F(Slices, APlanOfThousandsIsAFewStatementsInOneTransaction) {
    StepEntry step = enter(launch());
    const std::int64_t before = repository().statement_count();
    const StoredPlan stored = plan(step, 10'000);
    EXPECT_LT(repository().statement_count() - before, 25);
    EXPECT_THAT(stored.partitions, SizeIs(10'000));
    const auto read_back = repository().plan_of(step.claim);
    ASSERT_TRUE(read_back);
    ASSERT_THAT(read_back->partitions, SizeIs(10'000));
    EXPECT_EQ("9999", read_back->partitions.back().properties.at("n"));
    EXPECT_THAT(statuses(step.claim.id), Each(BatchStatus::starting));
}

TEST_F(Slices, ThereIsNoPlanBeforeItIsStoredAndAPlanOfNoneIsOne) {
    StepEntry step = enter(launch());
    EXPECT_FALSE(repository().plan_of(step.claim));
    EXPECT_THAT(plan(step, 0).partitions, IsEmpty());
    EXPECT_THAT(repository().plan_of(step.claim)->partitions, IsEmpty());
}

TEST_F(Slices, APartitionIsEnteredCommittedAndEnded) {
    StepEntry step = enter(launch());
    plan(step, 2);
    const StepEntry slice = enter_slice(step, 1);
    EXPECT_THAT(statuses(step.claim.id), ElementsAre(BatchStatus::starting, BatchStatus::started));
    const Progress progress = commit_chunk(slice, slice.state.progress);
    EXPECT_EQ(10, repository().partitions_of(step.claim.id).at(1).metrics.read) << "live, while it runs";
    end_slice(slice, BatchStatus::completed, progress);
    const PartitionExecution ended = repository().partitions_of(step.claim.id).at(1);
    EXPECT_EQ(BatchStatus::completed, ended.status);
    EXPECT_EQ(progress.metrics, ended.metrics);
    EXPECT_TRUE(ended.started && ended.ended);
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { enter_slice(step, 1); }).kind()) << "it has ended";
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { end_slice(slice, BatchStatus::failed); }).kind());
}

TEST_F(Slices, WhoeverEntersAPartitionLaterFencesWhoDidBefore) {
    StepEntry step = enter(launch());
    plan(step, 1);
    const StepEntry before = enter_slice(step, 0);
    const StepEntry after = enter_slice(step, 0, StepEntryMode::adopt);
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { commit_chunk(before, before.state.progress); }).kind());
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { repository().store_collected(before.claim, 1, "x"); }).kind());
    commit_chunk(after, after.state.progress);
    EXPECT_THAT(repository().collected_of(step.claim.id), IsEmpty());
}

TEST_F(Slices, CommitBesideEachOther) {
    constexpr std::int64_t chunks = 25;
    StepEntry step = enter(launch());
    const StoredPlan stored = plan(step, 4);
    std::vector<std::jthread> threads;
    for (const PartitionExecution& each : stored.partitions)
        threads.emplace_back([&, number = each.number] {
            const StepEntry slice = enter_slice(step, number);
            Progress progress = slice.state.progress;
            for (std::int64_t i = 0; i < chunks; ++i) {
                repository().store_collected(slice.claim, i + 1, fmt::format("{}.{}", number, i));
                progress = commit_chunk(slice, progress, 1);
            }
            end_slice(slice, BatchStatus::completed, progress);
        });
    threads.clear();
    end_slices(step, BatchStatus::completed, {.read = 100, .written = 100, .commits = 100});
    end(step.claim.execution, BatchStatus::completed);
    for (const PartitionExecution& each : repository().partitions_of(step.claim.id))
        EXPECT_EQ((Metrics{.read = chunks, .written = chunks, .commits = chunks}), each.metrics);
    EXPECT_THAT(repository().collected_of(step.claim.id), SizeIs(4 * chunks));
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, OnAServerTwoOfThemHaveTheirUnitsOpenAtOnce) {
    if (!repository().database().dialect().concurrent_writers) GTEST_SKIP() << "writers exclude each other here";
    StepEntry step = enter(launch());
    plan(step, 2);
    const StepEntry one = enter_slice(step, 0);
    const StepEntry other = enter_slice(step, 1);
    auto of_one = repository().unit();
    auto of_other = repository().unit();
    repository().store_collected(of_one, one.claim, 1, "one");
    repository().store_collected(of_other, other.claim, 1, "other");
    of_other.commit(other.claim, {.sequence = 1});
    of_one.commit(one.claim, {.sequence = 1});
    EXPECT_THAT(repository().collected_of(step.claim.id), SizeIs(2));
}

TEST_F(Slices, ALaneKeepsItsConnectionWhateverElseIsDoneBetweenItsUnits) {
    StepEntry step = enter(launch());
    plan(step, 2);
    std::vector<StepEntry> slices{enter_slice(step, 0), enter_slice(step, 1)};
    std::vector<Repository::Lane> lanes;
    std::vector<const sql::Connection*> kept(2, nullptr);
    for (int i = 0; i < 2; ++i) lanes.push_back(repository().lane());
    for (std::int64_t sequence = 1; sequence <= 6; ++sequence) {
        const std::size_t turn = sequence % 2 == 0 ? 0 : 1;
        {
            auto unit = repository().unit(lanes[turn]);
            if (kept[turn] == nullptr) kept[turn] = &unit.connection();
            EXPECT_EQ(kept[turn], &unit.connection());
            unit.commit(slices[turn].claim, {.sequence = sequence});
        }
        repository().append(step.claim.execution, {});
    }
    EXPECT_EQ(kept[0] != kept[1], repository().database().dialect().concurrent_writers);
}

TEST_F(Slices, ARestartFindsOnlyThoseThatAreNotCompletedEachWithItsProgress) {
    const Claim claim = launch();
    StepEntry step = enter(claim);
    plan(step, 4);
    const StepEntry done = enter_slice(step, 0);
    end_slice(done, BatchStatus::completed);
    const StepEntry half = enter_slice(step, 2);
    end_slice(half, BatchStatus::failed, commit_chunk(half, half.state.progress));
    end_slices(step, BatchStatus::failed, {.read = 10, .written = 10, .commits = 1});
    end(claim, BatchStatus::failed);
    EXPECT_THAT(statuses(step.claim.id),
                ElementsAre(BatchStatus::completed, BatchStatus::stopped, BatchStatus::failed, BatchStatus::stopped));

    StepEntry again = enter(restart(claim.execution));
    const StoredPlan stored =
        repository().store_plan(again, {.partitions = 9, .properties = properties(9), .keep_properties = true});
    EXPECT_THAT(numbers(stored), ElementsAre(1, 2, 3)) << "their number stays";
    EXPECT_EQ("2", stored.partitions[1].properties.at("n"));
    const StepEntry rest = enter_slice(again, 2);
    EXPECT_EQ("10", rest.state.progress.reader);
    EXPECT_EQ(Metrics{}, rest.state.progress.metrics) << "a new StepExecution counts from zero";
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, APlanThatForgetsBeginsAnew) {
    const Claim claim = launch();
    StepEntry step = enter(claim);
    plan(step, 3);
    const StepEntry done = enter_slice(step, 0);
    end_slice(done, BatchStatus::completed, commit_chunk(done, done.state.progress));
    end_slices(step, BatchStatus::failed, {.read = 10, .written = 10, .commits = 1});
    end(claim, BatchStatus::failed);
    StepEntry again = enter(restart(claim.execution));
    const StoredPlan stored = repository().store_plan(again, {.partitions = 2, .forget_earlier = true});
    EXPECT_THAT(numbers(stored), ElementsAre(0, 1));
    EXPECT_EQ(1, again.state.progress.generation);
    EXPECT_FALSE(enter_slice(again, 0).state.progress.reader) << "from its beginning";
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, AnAdopterFindsThePlanAndFencesWhatTheDeadOwnerHad) {
    const JobExecutionId lost = lost_slices();
    const auto claim = repository().adopt(lost, worker(), "ann");
    ASSERT_TRUE(claim);
    const StepEntry step = enter(*claim, StepEntryMode::adopt);
    const auto stored = repository().plan_of(step.claim);
    ASSERT_TRUE(stored);
    EXPECT_THAT(statuses(step.claim.id),
                ElementsAre(BatchStatus::completed, BatchStatus::started, BatchStatus::starting));
    const StepEntry half = enter_slice(step, 1, StepEntryMode::adopt);
    EXPECT_EQ(1, half.state.deaths);
    EXPECT_EQ("5", half.state.progress.reader);
    EXPECT_EQ(5, half.state.progress.metrics.read) << "the same StepExecution goes on counting";
}

TEST_F(Slices, WhatALostOwnerLeavesEndsWithItsExecution) {
    const JobExecutionId lost = lost_slices();
    ASSERT_TRUE(repository().fail_lost(lost, "ann"));
    EXPECT_THAT(statuses(only_step(lost)),
                ElementsAre(BatchStatus::completed, BatchStatus::failed, BatchStatus::stopped));
    EXPECT_EQ((Metrics{.read = 15, .written = 15, .commits = 2}), repository().find_step(only_step(lost))->metrics);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, APartitionThatRestedWhenAStopCameKeepsWhatItCounted) {
    const Claim claim = launch();
    StepEntry step = enter(claim);
    plan(step, 2);
    const StepEntry slice = enter_slice(step, 0);
    const Progress half = commit_chunk(slice, slice.state.progress, 5);
    repository().rest_partition(slice.claim, {.progress = half, .pause = PauseRequest{.point = "approve"}});
    repository().request_stop(claim.execution, {.actor = "ann"});
    end_slices(step, BatchStatus::stopped, half.metrics);
    end(claim, BatchStatus::stopped);
    EXPECT_THAT(statuses(step.claim.id), Each(BatchStatus::stopped));
    EXPECT_EQ(half.metrics, repository().partitions_of(step.claim.id).at(0).metrics);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, WhatALostOwnerLeftEndsWithAnOwnerWhoWasAskedToStopBeforeHeEnteredIt) {
    const JobExecutionId lost = lost_slices();
    ASSERT_TRUE(repository().release_lost(lost, "ann"));
    const ResumeAnswer resumed = repository().resume(lost, {.actor = "ann"}, worker());
    ASSERT_EQ(ResumeAnswer::Effect::owned, resumed.effect);
    repository().request_stop(lost, {.actor = "ann"});
    end({resumed.execution, resumed.instance, resumed.instance_uuid, resumed.epoch}, BatchStatus::stopped);
    EXPECT_THAT(statuses(only_step(lost)),
                ElementsAre(BatchStatus::completed, BatchStatus::stopped, BatchStatus::stopped));
    EXPECT_THAT(repository().verify(), IsEmpty());
}

TEST_F(Slices, CountsOfALostPartitionAreSettledByWhatTheSinkSaysAndTheStepsWithThem) {
    const JobExecutionId lost = lost_slices();
    const StepExecutionId step = only_step(lost);
    const auto of = [&](std::size_t number) { return repository().partitions_of(step).at(number).metrics; };
    const Metrics sink{.read = 40, .written = 39, .filtered = 1, .commits = 4};
    repository().settle_counts(step, 2, {.metrics = sink});
    EXPECT_EQ(5, of(1).read) << "its owner may still say more";
    ASSERT_TRUE(repository().fail_lost(lost, "ann"));
    repository().settle_counts(step, 1, {.metrics = {.read = 10, .written = 10, .commits = 1}});
    repository().settle_counts(step, 2, {.metrics = sink});
    EXPECT_EQ((Metrics{.read = 10, .written = 10, .commits = 1}), of(0)) << "what the repository knows is as new";
    EXPECT_EQ(sink, of(1));
    EXPECT_EQ(Metrics{}, of(2));
    EXPECT_EQ((Metrics{.read = 50, .written = 49, .filtered = 1, .commits = 5}), repository().find_step(step)->metrics);
    EXPECT_THAT(repository().verify(), IsEmpty());
}

}  // namespace
}  // namespace fermata::testing
