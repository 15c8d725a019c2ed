// Partitions that workers claim: owned rows of their own, whoever owns their execution meanwhile.
#include <fermata/testing/repository_suite.hpp>
#include <fermata/testing/thrown_by.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <atomic>
#include <latch>
#include <map>
#include <mutex>
#include <set>
#include <thread>

namespace fermata::testing {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

struct Shared : RepositorySuite {
    std::unique_ptr<Worker> serving(const std::string& name, const std::string& job = "import") {
        auto made = std::make_unique<Worker>(folder_ / "data", name);
        repository().enlist(*made, {.slots = 4, .jobs = {{job, "hash of " + job}}});
        return made;
    }
    StepEntry shared_step(const Claim& claim, std::int64_t count) {
        StepEntry step = repository().enter_step(claim, "slices", StepEntryMode::start);
        std::vector<Parameters> properties;
        for (std::int64_t i = 0; i < count; ++i) properties.push_back({{"n", std::to_string(i)}});
        const StoredPlan plan = repository().store_plan(
            step, {.partitions = count, .properties = std::move(properties), .for_workers = true});
        EXPECT_TRUE(plan.for_workers);
        return step;
    }
    std::vector<ClaimedPartition> claim_of(Repository& store, const Worker& worker, std::int64_t most = 10) {
        auto claimed = store.claim_partitions(worker, most);
        return claimed ? std::move(claimed->partitions) : std::vector<ClaimedPartition>();
    }
    std::vector<ClaimedPartition> claim(const Worker& worker, std::int64_t most = 10) {
        return claim_of(repository(), worker, most);
    }
    static std::vector<std::int64_t> numbers(const std::vector<ClaimedPartition>& claimed) {
        std::vector<std::int64_t> found;
        for (const ClaimedPartition& each : claimed) found.push_back(each.partition.number);
        return found;
    }
    void complete(const ClaimedPartition& one, std::int64_t items = 10) {
        const Progress progress = commit_chunk(one.entry, one.entry.state.progress, items);
        repository().end_partition(
            one.entry.claim, {.status = BatchStatus::completed, .exit_status = "COMPLETED", .progress = progress});
    }
    void end_shared(const StepEntry& step, BatchStatus status) {
        Progress progress = step.state.progress;
        for (const PartitionExecution& each : repository().partitions_of(step.claim.id)) {
            progress.metrics.read += each.metrics.read;
            progress.metrics.written += each.metrics.written;
            progress.metrics.commits += each.metrics.commits;
        }
        repository().end_step(
            step.claim,
            {.status = status, .progress = progress, .walk = {1, "slices", "ran", "finish", ""}, .partitioned = true});
    }
    void expect_stale(const ClaimedPartition& one, const Progress& progress) {
        EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] { commit_chunk(one.entry, progress); }).kind());
        EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] {
                                        repository().end_partition(one.entry.claim, {.status = BatchStatus::failed});
                                    }).kind());
        EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] {
                                        repository().rest_partition(one.entry.claim, {.progress = progress});
                                    }).kind());
        EXPECT_EQ(ErrorKind::stale,
                  thrown_by<Error>([&] { std::ignore = repository().poll_partition(one.entry.claim); }).kind());
        EXPECT_EQ(ErrorKind::stale,
                  thrown_by<Error>([&] { repository().save_progress(one.entry.claim, progress); }).kind());
    }
    /// Its owner was killed; of three partitions it had claimed 0 itself, and committed a chunk.
    JobExecutionId lost_manager() {
        in_killed_process([&] {
            const StepEntry step = shared_step(launch(), 3);
            const auto own = repository().claim_partitions_of(step.claim, worker(), 1);
            commit_chunk(own->partitions.front().entry, {}, 5);
        });
        return repository().latest(std::nullopt).value();
    }
    void expect_sound() { EXPECT_THAT(repository().verify(), IsEmpty()); }
};

TEST_F(Shared, AWorkerClaimsWhatItServesInTheirOrderAndTheExecutionEnds) {
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 3);
    const auto alpha = serving("alpha");
    EXPECT_THAT(claim(*serving("other", "export")), IsEmpty());
    EXPECT_THAT(claim(*alpha, 0), IsEmpty());
    const auto first = claim(*alpha, 2);
    EXPECT_THAT(numbers(first), ElementsAre(0, 1));
    EXPECT_EQ("1", first[1].partition.properties.at("n"));
    EXPECT_FALSE(first[0].begun);
    EXPECT_FALSE(first[0].entry.claim.execution.owns_execution());
    EXPECT_EQ(1, first[0].entry.state.starts);
    EXPECT_EQ(2, repository().workers().at(1).partitions);
    EXPECT_EQ("alpha", repository().partitions_of(step.claim.id).at(0).worker);
    EXPECT_EQ(BatchStatus::started, repository().poll_partition(first[0].entry.claim).status);
    expect_sound();
    const auto own = repository().claim_partitions_of(step.claim, worker(), 5);
    ASSERT_TRUE(own);
    EXPECT_THAT(numbers(own->partitions), ElementsAre(2));
    EXPECT_FALSE(repository().claim_partitions_of(step.claim, worker(), 5));
    for (const ClaimedPartition& each : first) complete(each);
    complete(own->partitions.front());
    end_shared(step, BatchStatus::completed);
    end(owner, BatchStatus::completed);
    EXPECT_EQ((Metrics{.read = 30, .written = 30, .commits = 3}), repository().find_step(step.claim.id)->metrics);
    EXPECT_EQ("alpha", repository().partitions_of(step.claim.id).at(0).worker) << "who ran it last";
    expect_sound();
}

TEST_F(Shared, AllStepsOfAnExecutionMayBeForWorkersAndItsRestartsToo) {
    LaunchRequest asked = request();
    asked.for_workers = true;
    const Claim one = launch(asked);
    StepEntry step = repository().enter_step(one, "slices", StepEntryMode::start);
    EXPECT_TRUE(repository().store_plan(step, {.partitions = 1}).for_workers);
    end_shared(step, BatchStatus::failed);
    end(one, BatchStatus::failed);
    StepEntry again = repository().enter_step(restart(one.execution), "slices", StepEntryMode::start);
    EXPECT_TRUE(repository().store_plan(again, {.partitions = 1}).for_workers);
    EXPECT_TRUE(repository().plan_of(again.claim)->for_workers);
}

TEST_F(Shared, OfAnotherStepNothingIsClaimed) {
    StepEntry step = repository().enter_step(launch(), "slices", StepEntryMode::start);
    repository().store_plan(step, {.partitions = 2});
    EXPECT_THAT(claim(*serving("alpha")), IsEmpty());
    EXPECT_FALSE(repository().claim_partitions_of(step.claim, worker(), 1));
}

TEST_F(Shared, AClaimCostsTwoStatementsForEachPartitionOrGroupAndAnEndTheSameWhereverItIs) {
    const auto alpha = serving("alpha");
    const auto cost = [&](std::int64_t most) {
        const std::int64_t before = repository().statement_count();
        const auto claimed = claim(*alpha, most);
        EXPECT_THAT(claimed, SizeIs(most));
        const std::int64_t between = repository().statement_count();
        complete(claimed.front());
        return std::pair(between - before, repository().statement_count() - between);
    };
    shared_step(launch(), 500);
    const auto of_one = cost(1);
    const auto of_twenty = cost(20);
    const bool server = repository().database().dialect().concurrent_writers;
    EXPECT_LE(of_one.first, 9) << "the step, what is open, the worker, its progress, its row, BEGIN and COMMIT";
    EXPECT_EQ(of_one.first + (server ? 2 + 1 : 2 * 19), of_twenty.first)
        << "each by its key, in the same round trips; on a server sixteen at once, four at once and what asks for that";
    EXPECT_EQ(of_one.second, of_twenty.second);
    EXPECT_LE(of_one.second, 9) << "a chunk, and the end with its ring";
    EXPECT_THAT(claim(*alpha, 100), SizeIs(20));
}

TEST_F(Shared, EndsThatComeAtOneTimeGoTogetherAndOneThatIsRefusedKeepsNoneOfTheOthersFromIt) {
    constexpr std::int64_t count = 20;
    constexpr std::int64_t lost = 5;
    constexpr std::int64_t statements_of_one = 5;  // its progress, its row, its ring, BEGIN and COMMIT
    const auto alpha = serving("alpha");
    bool went_together = false;
    for (int round = 0; round < 100 && !(went_together && round > 2); ++round) {
        const StepEntry step = shared_step(launch(), count);
        const auto claimed = claim(*alpha, count);
        ASSERT_THAT(claimed, SizeIs(count));
        const bool loses = round % 2 == 0;
        std::vector<PartitionKey> known;
        for (const ClaimedPartition& one : claimed)
            if (!loses || one.partition.number != lost) known.push_back({step.claim.id, one.partition.number});
        repository().disown_unknown_partitions(*alpha, known, "ann");
        std::atomic<int> refused = 0;
        const std::int64_t before = repository().statement_count();
        std::latch all(count);
        {
            std::vector<std::jthread> threads;
            for (const ClaimedPartition& one : claimed)
                threads.emplace_back([&] {
                    PartitionEnd end{.status = BatchStatus::completed,
                                     .exit_status = "done " + std::to_string(one.partition.number),
                                     .progress = one.entry.state.progress};
                    end.progress.metrics.read = end.progress.metrics.written = one.partition.number;
                    all.arrive_and_wait();
                    try {
                        repository().end_partition(one.entry.claim, end);
                    } catch (const Error& error) {
                        EXPECT_EQ(ErrorKind::stale, error.kind()) << error.what();
                        EXPECT_EQ(lost, one.partition.number);
                        ++refused;
                    }
                });
        }
        went_together = repository().statement_count() - before < statements_of_one * count;
        EXPECT_EQ(loses ? 1 : 0, refused);
        for (const PartitionExecution& one : repository().partitions_of(step.claim.id)) {
            if (loses && one.number == lost) {
                EXPECT_EQ(BatchStatus::starting, one.status);
                continue;
            }
            EXPECT_EQ(BatchStatus::completed, one.status);
            EXPECT_EQ("done " + std::to_string(one.number), one.exit_status);
            EXPECT_EQ(one.number, one.metrics.read);
        }
        if (loses) complete(claim(*alpha, 1).at(0));
    }
    EXPECT_TRUE(went_together);
    expect_sound();
}

TEST_F(Shared, OfManyWorkersEachPartitionHasOne) {
    constexpr std::int64_t count = 200;
    constexpr int claimers = 4;
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, count);
    std::vector<std::unique_ptr<Worker>> workers;
    std::vector<std::unique_ptr<Repository>> views;
    for (int i = 0; i < claimers; ++i) {
        workers.push_back(serving("w" + std::to_string(i)));
        views.push_back(open());
    }
    std::mutex mutex;
    std::multiset<std::int64_t> claimed;
    std::vector<std::jthread> threads;
    for (int i = 0; i < claimers; ++i)
        threads.emplace_back([&, i] {
            for (bool done = false; !done;) {
                const auto mine = claim_of(*views[i], *workers[i], 7);
                for (const ClaimedPartition& each : mine)
                    views[i]->end_partition(each.entry.claim, {.status = BatchStatus::completed});
                const std::lock_guard lock(mutex);
                for (const std::int64_t number : numbers(mine)) claimed.insert(number);
                done = claimed.size() >= count;
            }
        });
    threads.clear();
    EXPECT_THAT(claimed, SizeIs(count));
    EXPECT_THAT(std::set<std::int64_t>(claimed.begin(), claimed.end()), SizeIs(count));
    end_shared(step, BatchStatus::completed);
    end(owner, BatchStatus::completed);
    expect_sound();
}

TEST_F(Shared, NothingIsClaimedOnceAStopAPauseOrAStepsStopWasAsked) {
    const auto alpha = serving("alpha");
    const Claim stopping = launch();
    const StepEntry step = shared_step(stopping, 2);
    const auto running = claim(*alpha, 1);
    repository().request_stop(stopping.execution, {.actor = "ann"});
    EXPECT_THAT(claim(*alpha), IsEmpty());
    EXPECT_EQ(BatchStatus::stopping, repository().poll_partition(running[0].entry.claim).status);
    EXPECT_EQ(BatchStatus::stopping, repository().unit().commit(running[0].entry.claim, {.sequence = 1}).status)
        << "its chunk brings it along";
    repository().end_partition(running[0].entry.claim, {.status = BatchStatus::stopped, .progress = {.sequence = 1}});
    end_shared(step, BatchStatus::stopped);
    end(stopping, BatchStatus::stopped);

    const Claim pausing = launch();
    shared_step(pausing, 1);
    repository().request_pause(pausing.execution, {.what = {.point = "operator"}, .actor = "ann"});
    EXPECT_THAT(claim(*alpha), IsEmpty());
    repository().resume(pausing.execution, {.actor = "ann"}, worker());
    EXPECT_THAT(claim(*alpha), SizeIs(1));

    const Claim cutting = launch();
    shared_step(cutting, 1);
    repository().request_step_stop(cutting.execution, {.step = "slices", .actor = "ann"});
    EXPECT_THAT(claim(*alpha), IsEmpty());
    expect_sound();
}

TEST_F(Shared, AnOwnerWithdrawsWhatItHasOfferedAndOffersItAgain) {
    const auto alpha = serving("alpha");
    const StepEntry step = shared_step(launch(), 2);
    repository().offer_partitions(step.claim, false);
    EXPECT_THAT(claim(*alpha), IsEmpty());
    EXPECT_TRUE(repository().plan_of(step.claim)->for_workers);
    repository().offer_partitions(step.claim, true);
    EXPECT_THAT(claim(*alpha), SizeIs(2));
}

TEST_F(Shared, ARestingPartitionIsOpenToOthersFromItsCheckpoint) {
    const auto alpha = serving("alpha");
    const StepEntry step = shared_step(launch(), 1);
    const auto before = claim(*alpha);
    const Progress progress = commit_chunk(before[0].entry, {});
    repository().rest_partition(before[0].entry.claim, {.progress = progress});
    expect_stale(before[0], progress);
    EXPECT_THAT(statuses(step.claim.id), ElementsAre(BatchStatus::paused));
    expect_sound();
    const auto after = claim(*serving("beta"));
    ASSERT_THAT(after, SizeIs(1));
    EXPECT_TRUE(after[0].begun);
    EXPECT_EQ("10", after[0].entry.state.progress.reader);
    EXPECT_EQ(10, after[0].entry.state.progress.metrics.read) << "the same StepExecution goes on counting";
    EXPECT_EQ(0, after[0].entry.state.deaths);
    complete(after[0]);
    expect_sound();
}

TEST_F(Shared, APartitionPausesItsExecutionAndGoesOnWhenThatIsResumed) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 1);
    const auto one = claim(*alpha);
    const PauseOpened opened =
        repository().rest_partition(one[0].entry.claim, {.progress = {}, .pause = PauseRequest{.point = "approve"}});
    EXPECT_TRUE(opened.open);
    EXPECT_EQ(BatchStatus::pausing, execution(owner.execution).status);
    repository().rest_step(step.claim, {.progress = {}});
    EXPECT_EQ(Rested::paused, repository().rest_execution(owner, {}));
    EXPECT_THAT(claim(*alpha), IsEmpty());
    expect_sound();
    const ResumeAnswer resumed = repository().resume(owner.execution, {.actor = "ann"}, worker());
    EXPECT_THAT(claim(*alpha), IsEmpty()) << "the step is not entered yet";
    repository().enter_step({resumed.execution, resumed.instance, resumed.instance_uuid, resumed.epoch}, "slices",
                            StepEntryMode::resume);
    const auto again = claim(*alpha);
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ(opened.epoch, again[0].entry.state.own_pause);
    complete(again[0]);
    expect_sound();
}

TEST_F(Shared, AdoptionLeavesThePartitionsOfOthersAlone) {
    const JobExecutionId lost = lost_manager();
    const auto alpha = serving("alpha");
    const auto theirs = claim(*alpha, 1);
    ASSERT_THAT(numbers(theirs), ElementsAre(1)) << "the execution is STARTED; that its owner is dead is no matter";
    const Progress before = commit_chunk(theirs[0].entry, {});
    const auto owner = repository().adopt(lost, worker(), "ann");
    ASSERT_TRUE(owner);
    const Progress after = commit_chunk(theirs[0].entry, before);
    const StepEntry step = repository().enter_step(*owner, "slices", StepEntryMode::adopt);
    EXPECT_THAT(statuses(step.claim.id),
                ElementsAre(BatchStatus::starting, BatchStatus::started, BatchStatus::starting));
    const auto found = claim(*alpha);
    EXPECT_THAT(numbers(found), ElementsAre(0, 2));
    EXPECT_TRUE(found[0].begun);
    EXPECT_EQ(1, found[0].entry.state.deaths);
    EXPECT_EQ("5", found[0].entry.state.progress.reader);
    repository().end_partition(theirs[0].entry.claim, {.status = BatchStatus::completed, .progress = after});
    for (const ClaimedPartition& each : found) complete(each);
    end_shared(step, BatchStatus::completed);
    end(*owner, BatchStatus::completed);
    expect_sound();
}

TEST_F(Shared, ReleasedToWorkersItGoesOnWhileTheExecutionIsNobodys) {
    const JobExecutionId lost = lost_manager();
    const auto alpha = serving("alpha");
    const auto theirs = claim(*alpha, 1);
    ASSERT_TRUE(repository().release_lost(lost, "ann"));
    EXPECT_EQ(BatchStatus::starting, execution(lost).status);
    const Progress progress = commit_chunk(theirs[0].entry, {});
    EXPECT_THAT(claim(*alpha), IsEmpty()) << "nothing new begins";
    repository().end_partition(theirs[0].entry.claim, {.status = BatchStatus::completed, .progress = progress});
    EXPECT_THAT(statuses(only_step(lost)),
                ElementsAre(BatchStatus::starting, BatchStatus::completed, BatchStatus::starting));
    expect_sound();
    const auto executions = repository().claim_waiting(*alpha, 1, "ann");
    ASSERT_THAT(executions, SizeIs(1));
    repository().enter_step(executions[0].claim, "slices", StepEntryMode::resume);
    EXPECT_THAT(numbers(claim(*alpha)), ElementsAre(0, 2));
    expect_sound();
}

TEST_F(Shared, WhileNobodyOwnsTheExecutionAPartitionOpensNoPause) {
    const JobExecutionId lost = lost_manager();
    const auto theirs = claim(*serving("alpha"), 1);
    ASSERT_TRUE(repository().release_lost(lost, "ann"));
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] {
                                    repository().rest_partition(
                                        theirs[0].entry.claim,
                                        {.progress = {}, .pause = PauseRequest{.point = "approve"}});
                                }).kind());
    repository().rest_partition(theirs[0].entry.claim, {.progress = {}});
    expect_sound();
}

TEST_F(Shared, WhoeverEndsAnExecutionWithoutItsOwnerTakesAllPartitionsAway) {
    const std::map<std::string, std::function<void(JobExecutionId)>> ends{
        {"fail", [&](JobExecutionId id) { EXPECT_TRUE(repository().fail_lost(id, "ann")); }},
        {"stop",
         [&](JobExecutionId id) {
             EXPECT_EQ(StopAnswer::Effect::stopped, repository().request_stop(id, {.actor = "ann"}).effect);
         }},
        {"stop of what waits for a worker",
         [&](JobExecutionId id) {
             EXPECT_TRUE(repository().release_lost(id, "ann"));
             EXPECT_EQ(StopAnswer::Effect::stopped, repository().request_stop(id, {.actor = "ann"}).effect);
         }},
        {"restart", [&](JobExecutionId id) { restart(id); }},
        {"pause",
         [&](JobExecutionId id) {
             EXPECT_EQ(PauseAnswer::Effect::paused,
                       repository().request_pause(id, {.what = {.point = "operator"}, .actor = "ann"}).effect);
         }},
        {"pause of what waits for a worker",
         [&](JobExecutionId id) {
             EXPECT_TRUE(repository().release_lost(id, "ann"));
             repository().request_pause(id, {.what = {.point = "operator"}, .actor = "ann"});
         }},
    };
    for (const auto& [name, ends_it] : ends) {
        SCOPED_TRACE(name);
        const JobExecutionId lost = lost_manager();
        const auto theirs = claim(*serving("alpha"), 1);
        const Progress before = commit_chunk(theirs.at(0).entry, {});
        ends_it(lost);
        expect_stale(theirs[0], before);
        EXPECT_EQ(10, repository().partitions_of(only_step(lost)).at(1).metrics.read) << "as committed";
        expect_sound();
        repository().retire(*serving("gone"));
    }
}

TEST_F(Shared, PartitionsOfADeadWorkerAreOpenToOthersAndTheirDeathsAreCounted) {
    in_killed_process([&] {
        const auto doomed = serving("doomed");
        shared_step(launch(), 3);
        const auto claimed = claim(*doomed, 2);
        commit_chunk(claimed[0].entry, {});
    });
    const JobExecutionId id = repository().latest(std::nullopt).value();
    const auto alpha = serving("alpha");
    EXPECT_THAT(numbers(claim(*alpha)), ElementsAre(2));
    EXPECT_EQ(2, repository().release_lost_partitions(*alpha, "ann"));
    EXPECT_EQ(0, repository().release_lost_partitions(*alpha, "ann"));
    EXPECT_THAT(kinds(id), Contains("partition.orphaned").Times(2));
    EXPECT_THAT(statuses(only_step(id)),
                ElementsAre(BatchStatus::starting, BatchStatus::starting, BatchStatus::started));
    expect_sound();
    const auto found = claim(*alpha);
    EXPECT_THAT(numbers(found), ElementsAre(0, 1));
    EXPECT_EQ(1, found[0].entry.state.deaths);
    EXPECT_EQ("10", found[0].entry.state.progress.reader);
    EXPECT_EQ(10, found[0].entry.state.progress.metrics.read);
}

TEST_F(Shared, AWorkerLetsGoOfPartitionsItDoesNotKnow) {
    const auto alpha = serving("alpha");
    const StepEntry step = shared_step(launch(), 2);
    const auto claimed = claim(*alpha);
    const PartitionKey known[] = {{step.claim.id, 1}};
    EXPECT_THAT(repository().disown_unknown_partitions(*alpha, known, "ann"),
                ElementsAre(PartitionKey{step.claim.id, 0}));
    EXPECT_THAT(repository().disown_unknown_partitions(*alpha, known, "ann"), IsEmpty());
    expect_stale(claimed[0], {.sequence = 1});
    commit_chunk(claimed[1].entry, {});
    EXPECT_THAT(numbers(claim(*serving("beta"))), ElementsAre(0));
    Worker stranger(folder_ / "data");
    EXPECT_THAT(repository().disown_unknown_partitions(stranger, known, "ann"), IsEmpty());
    expect_sound();
}

TEST_F(Shared, NewsTellWhatEveryClaimedPartitionHasComeTo) {
    const auto alpha = serving("alpha");
    const StepEntry step = shared_step(launch(), 4);
    const auto claimed = claim(*alpha, 3);
    const auto say = [&](const ClaimedPartition& one, std::int64_t sequence, const std::string& data) {
        auto unit = repository().unit();
        repository().store_collected(unit, one.entry.claim, sequence, data);
        unit.commit(one.entry.claim, {.sequence = sequence});
    };
    say(claimed[0], 1, "a");
    say(claimed[0], 2, "b");
    say(claimed[1], 1, "c");
    repository().end_partition(
        claimed[1].entry.claim,
        {.status = BatchStatus::completed, .exit_status = "GOOD", .progress = {.sequence = 1}, .cut = true});
    const auto news = repository().partition_news(step.claim.id, 0);
    ASSERT_THAT(news, SizeIs(3));
    EXPECT_EQ(2, news[0].sequence);
    EXPECT_EQ(BatchStatus::started, news[0].partition.status);
    EXPECT_EQ("GOOD", news[1].partition.exit_status);
    EXPECT_TRUE(news[1].partition.cut);
    EXPECT_THAT(repository().partition_news(step.claim.id, 2), SizeIs(1));
    std::vector<std::string> said;
    for (const CollectedData& each : repository().collected_after(step.claim.id, {{0, 1}, {1, 0}, {2, 0}}))
        said.push_back(fmt::format("{}.{} {}", each.partition, each.sequence, each.data));
    EXPECT_THAT(said, ElementsAre("0.2 b", "1.1 c"));
}

TEST_F(Shared, AnEndTakesAwayWhatAZombieStillRuns) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 1);
    const auto one = claim(*alpha);
    const Progress before = commit_chunk(one[0].entry, {});
    end_shared(step, BatchStatus::failed);
    expect_stale(one[0], before);
    end(owner, BatchStatus::failed);
    expect_sound();
}

TEST_F(Shared, AWorkerThatWasForgottenClaimsNothing) {
    const StepEntry step = shared_step(launch(), 1);
    Worker stranger(folder_ / "data");
    EXPECT_FALSE(repository().claim_partitions(stranger, 1));
    EXPECT_EQ(ErrorKind::stale, thrown_by<Error>([&] {
                                    std::ignore = repository().claim_partitions_of(step.claim, stranger, 1);
                                }).kind());
}

// --- turns

TEST_F(Shared, APartitionThatGivesUpItsTurnGoesOnFromItsCheckpointAndNothingIsTold) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 1);
    const auto before = claim(*alpha);
    Progress progress = commit_chunk(before[0].entry, {});
    progress.user_data = "kept";
    const std::vector<std::string> told = kinds(owner.execution);
    repository().give_up_turn(before[0].entry.claim, progress);
    expect_stale(before[0], progress);
    EXPECT_EQ(ErrorKind::stale,
              thrown_by<Error>([&] { repository().give_up_turn(before[0].entry.claim, progress); }).kind());
    EXPECT_THAT(statuses(step.claim.id), ElementsAre(BatchStatus::starting));
    EXPECT_EQ(10, repository().partitions_of(step.claim.id).at(0).metrics.read) << "as committed, while it waits";
    EXPECT_EQ(told, kinds(owner.execution));
    expect_sound();
    const auto after = claim(*serving("beta"));
    ASSERT_THAT(after, SizeIs(1));
    EXPECT_TRUE(after[0].begun);
    const StepState& state = after[0].entry.state;
    EXPECT_EQ("10", state.progress.reader);
    EXPECT_EQ("kept", state.progress.user_data);
    EXPECT_EQ(10, state.progress.metrics.read);
    EXPECT_EQ(1, state.starts);
    EXPECT_EQ(0, state.deaths);
    complete(after[0]);
    end_shared(step, BatchStatus::completed);
    end(owner, BatchStatus::completed);
    EXPECT_EQ((Metrics{.read = 20, .written = 20, .commits = 2}), repository().find_step(step.claim.id)->metrics);
    expect_sound();
}

TEST_F(Shared, WhoHasWaitedLongestIsClaimedFirstOfWhateverStep) {
    const auto alpha = serving("alpha");
    const StepEntry older = shared_step(launch(), 4);
    const auto first = claim(*alpha, 2);
    const StepEntry newer = shared_step(launch(), 2);
    const auto claimed_next = [&](std::int64_t most) {
        std::vector<std::string> found;
        for (const ClaimedPartition& each : claim(*alpha, most))
            found.push_back(
                fmt::format("{}{}", each.entry.claim.id == older.claim.id ? "older" : "newer", each.partition.number));
        return found;
    };
    repository().give_up_turn(first[1].entry.claim, {});
    EXPECT_THAT(claimed_next(1), ElementsAre("older2"));
    repository().give_up_turn(first[0].entry.claim, {});
    EXPECT_THAT(claimed_next(10), ElementsAre("older3")) << "the others came after those of the newer step";
    EXPECT_THAT(claimed_next(10), ElementsAre("newer0", "newer1"));
    EXPECT_THAT(claimed_next(10), ElementsAre("older1", "older0")) << "at once, in their order, where no other waits";
    EXPECT_THAT(claimed_next(10), IsEmpty());
    expect_sound();
}

TEST_F(Shared, WhatItsWorkerHasLostNeedNotQueueAgain) {
    in_killed_process([&] {
        const auto doomed = serving("doomed");
        shared_step(launch(), 3);
        std::ignore = claim(*doomed, 1);
    });
    const auto alpha = serving("alpha");
    const auto other = claim(*alpha, 1);
    repository().give_up_turn(other[0].entry.claim, {});
    ASSERT_EQ(1, repository().release_lost_partitions(*alpha, "ann"));
    EXPECT_THAT(numbers(claim(*alpha, 10)), ElementsAre(0, 2, 1));
}

TEST_F(Shared, AWorkerIsToldWhetherAnythingWaitsForASlotOfIts) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 2);
    const auto mine = claim(*alpha, 2);
    const auto waits = [&] { return repository().others_wait(mine[0].entry.claim, *alpha); };
    EXPECT_FALSE(waits());
    repository().give_up_turn(mine[1].entry.claim, {});
    EXPECT_TRUE(waits()) << "another one of its step";
    EXPECT_TRUE(repository().others_wait(mine[0].entry.claim, worker())) << "whoever runs it";
    EXPECT_THAT(claim(*alpha), SizeIs(1));
    EXPECT_FALSE(waits());

    repository().submit(request("export"));
    EXPECT_FALSE(waits()) << "it does not serve that";
    repository().submit(request());
    EXPECT_TRUE(waits()) << "an execution";
    EXPECT_FALSE(repository().others_wait(mine[0].entry.claim, worker())) << "a process that serves nothing";
    EXPECT_THAT(repository().claim_waiting(*alpha, 1, "ann"), SizeIs(1));
    EXPECT_FALSE(waits());

    const Claim other = launch();
    shared_step(other, 1);
    EXPECT_TRUE(waits()) << "a partition of another job";
    EXPECT_FALSE(repository().others_wait(mine[0].entry.claim, worker()));
    repository().request_pause(other.execution, {.what = {.point = "operator"}, .actor = "ann"});
    EXPECT_FALSE(waits()) << "it could not be claimed";
    repository().resume(other.execution, {.actor = "ann"}, worker());
    EXPECT_TRUE(waits());

    repository().offer_partitions(step.claim, false);
    EXPECT_FALSE(waits()) << "what it gave up nobody would claim again";
    repository().offer_partitions(step.claim, true);
    repository().request_stop(owner.execution, {.actor = "ann"});
    EXPECT_FALSE(waits());
}

TEST_F(Shared, ATurnCostsTheSameHoweverManyWait) {
    const auto alpha = serving("alpha");
    const auto cost = [&](std::int64_t partitions) {
        shared_step(launch(), partitions);
        const auto mine = claim(*alpha, 1);
        const std::int64_t before = repository().statement_count();
        EXPECT_TRUE(repository().others_wait(mine[0].entry.claim, *alpha));
        repository().give_up_turn(mine[0].entry.claim, {});
        return repository().statement_count() - before;
    };
    const std::int64_t of_few = cost(2);
    EXPECT_LE(of_few, 6) << "the question, its progress, its row, the ring, BEGIN and COMMIT";
    EXPECT_EQ(of_few, cost(500));
}

TEST_F(Shared, AStepThatEndsTakesAlongWhatWaitsForItsNextTurn) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 1);
    const auto one = claim(*alpha);
    repository().give_up_turn(one[0].entry.claim, commit_chunk(one[0].entry, {}));
    end_shared(step, BatchStatus::failed);
    end(owner, BatchStatus::failed);
    EXPECT_THAT(statuses(step.claim.id), ElementsAre(BatchStatus::stopped));
    EXPECT_EQ(10, repository().partitions_of(step.claim.id).at(0).metrics.read);
    EXPECT_THAT(claim(*alpha), IsEmpty());
    expect_sound();
    StepEntry again = repository().enter_step(restart(owner.execution), "slices", StepEntryMode::start);
    repository().store_plan(again, {.partitions = 1, .for_workers = true});
    const auto restarted = claim(*alpha);
    ASSERT_THAT(restarted, SizeIs(1));
    EXPECT_EQ("10", restarted[0].entry.state.progress.reader);
    EXPECT_EQ(0, restarted[0].entry.state.progress.metrics.read) << "a StepExecution counts from zero";
}

TEST_F(Shared, APauseKeepsWhatWaitsForItsNextTurn) {
    const auto alpha = serving("alpha");
    const Claim owner = launch();
    const StepEntry step = shared_step(owner, 1);
    const auto one = claim(*alpha);
    repository().give_up_turn(one[0].entry.claim, commit_chunk(one[0].entry, {}));
    repository().request_pause(owner.execution, {.what = {.point = "operator"}, .actor = "ann"});
    repository().rest_step(step.claim, {.progress = {}});
    EXPECT_EQ(Rested::paused, repository().rest_execution(owner, {}));
    EXPECT_THAT(claim(*alpha), IsEmpty());
    expect_sound();
    const ResumeAnswer resumed = repository().resume(owner.execution, {.actor = "ann"}, worker());
    repository().enter_step({resumed.execution, resumed.instance, resumed.instance_uuid, resumed.epoch}, "slices",
                            StepEntryMode::resume);
    const auto again = claim(*alpha);
    ASSERT_THAT(again, SizeIs(1));
    EXPECT_EQ("10", again[0].entry.state.progress.reader);
    complete(again[0]);
    expect_sound();
}

}  // namespace
}  // namespace fermata::testing
