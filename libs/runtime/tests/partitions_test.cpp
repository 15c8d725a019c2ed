// Partitioned steps (Jakarta Batch §8.2.6, §9.5, §10.8.5, §11.5, §11.7).
#include "deadly.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <atomic>
#include <chrono>

namespace fermata::test {
namespace {

using Lines = std::vector<std::string>;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

/// Also where workers may claim the partitions, and there are none: what they come to is the same.
class Partitions : public Deadly, public testing::WithParamInterface<bool> {
protected:
    static JobDefinition job(const std::string& body) {
        JobDefinition made = Deadly::job(body);
        for (ElementDefinition& element : made.elements)
            if (auto* step = std::get_if<StepDefinition>(&element.what);
                step != nullptr && step->partition && GetParam())
                step->partition->workers = Template::literal("any");
        return made;
    }
    static std::string plan(int count, const std::string& attributes = "") {
        std::string text = fmt::format(R"(<plan partitions="{}" {}>)", count, attributes);
        for (int i = 0; i < count && count <= 10; ++i)
            text += fmt::format(R"(<properties partition="{0}"><property name="n" value="{0}"/></properties>)", i);
        return text + "</plan>";
    }
    static constexpr std::string_view artifacts =
        R"(<collector ref="collector"/><analyzer ref="analyzer"/><reducer ref="reducer"/>)";
    /// A batchlet whose step properties say which partition it is.
    static std::string batchlet(const std::string& partition, const std::string& attributes = "") {
        return fmt::format(
            R"(<step id="s" {}><properties><property name="n" value="#{{partitionPlan['n']}}"/></properties>)"
            R"(<batchlet ref="scripted"/><partition>{}</partition></step>)",
            attributes, partition);
    }
    /// Numbers 1…count in each partition, into the repository's database.
    static std::string chunk_step(int count, const std::string& partition,
                                  const std::string& writer = R"(<writer ref="rows"/>)",
                                  const std::string& attributes = R"(item-count="3")") {
        return fmt::format(
            R"(<step id="s" {{}}><chunk {}><reader ref="numbers"><properties><property name="count" value="{}"/></properties></reader>)"
            R"(<processor ref="process"/>{}</chunk><partition>{}</partition></step>)",
            attributes, count, writer, partition);
    }
    static std::string with(std::string step, const std::string& attributes) {
        return step.replace(step.find("{}"), 2, attributes);
    }
    static std::string n(StepContext& step) { return step.properties.get<std::string>("n", ""); }
    std::vector<PartitionExecution> partitions(JobExecutionId id) { return repository_->partitions_of(step(id).id); }
    std::vector<std::int64_t> numbers_of(JobExecutionId id) {
        std::vector<std::int64_t> found;
        for (const PartitionExecution& partition : partitions(id)) found.push_back(partition.number);
        return found;
    }
    void expect_sound() { EXPECT_THAT(repository_->verify(), IsEmpty()); }
};

TEST_P(Partitions, EachHasItsOwnPropertiesContextsAndExitStatus) {
    std::mutex mutex;
    std::set<std::string> seen;
    script().on_batchlet = [&](StepContext& step) {
        const std::lock_guard lock(mutex);
        EXPECT_FALSE(step.exit_status);
        EXPECT_FALSE(step.job->exit_status);
        step.job->exit_status = "lost";
        seen.insert(n(step));
        return "P" + n(step);
    };
    const JobExecution execution = run(job(batchlet(plan(3))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(execution.exit_status, "COMPLETED");
    EXPECT_EQ(step(execution.id).exit_status, "COMPLETED");
    EXPECT_THAT(seen, ElementsAre("0", "1", "2"));
    const auto all = partitions(execution.id);
    ASSERT_THAT(all, SizeIs(3));
    EXPECT_EQ(all[2].number, 2);
    EXPECT_EQ(all[2].exit_status, "P2");
    EXPECT_EQ(all[2].properties.at("n"), "2");
    EXPECT_TRUE(all[2].started && all[2].ended);
    expect_sound();
}

TEST_P(Partitions, TheOrderOfTheArtifactsIsThatOfTheSpecification) {
    script().on_batchlet = [](StepContext&) { return std::string("X"); };
    const JobExecution execution =
        run(job(R"(<step id="s"><listeners><listener ref="recorder"/></listeners><batchlet ref="scripted"/>)"
                R"(<partition><mapper ref="mapper"/>)" +
                std::string(artifacts) + "</partition></step>"),
            (script().on_map = [] { return PartitionPlan{.partitions = 1}; }, Parameters{}));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_THAT(script().log, ElementsAre("beforeStep", "begin", "map", "data c", "COMPLETED X", "before",
                                          "after COMMIT", "afterStep"));
}

TEST_P(Partitions, AnAnalyzerWithoutACollectorHearsHowEachEnded) {
    script().on_batchlet = [](StepContext& step) { return "P" + n(step); };
    script().on_call["COMPLETED P1"] = [](StepContext* step, JobContext& job) {
        step->exit_status = "FROM ANALYZER";
        job.exit_status = "JOB TOO";
    };
    const JobExecution execution = run(job(batchlet(plan(2) + R"(<analyzer ref="analyzer"/>)")));
    EXPECT_THAT(script().log, UnorderedElementsAre("COMPLETED P0", "COMPLETED P1"));
    EXPECT_EQ(step(execution.id).exit_status, "FROM ANALYZER");
    EXPECT_EQ(execution.exit_status, "JOB TOO");
}

TEST_P(Partitions, OfEachPartitionTheDataComeInOrderAndItsEndLast) {
    std::atomic<int> count = 0;
    script().on_collect = [&](StepContext&) { return std::to_string(++count); };
    const JobExecution execution =
        run(job(with(chunk_step(7, plan(1) + R"(<collector ref="collector"/><analyzer ref="analyzer"/>)"), "")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    const auto from = std::ranges::find(script().log, "data 1");
    Lines heard;
    for (const std::string& line : script().log)
        if (line.starts_with("data ") || line.starts_with("COMPLETED")) heard.push_back(line);
    EXPECT_THAT(heard, ElementsAre("data 1", "data 2", "data 3", "COMPLETED COMPLETED"));  // one a commit
    EXPECT_NE(from, script().log.end());
    EXPECT_EQ(step(execution.id).metrics.commits, 3);
}

TEST_P(Partitions, WhatABatchletCollectsComesTogetherWithItsEnd) {  // §8.2.6.5: once, at its end
    script().on_collect = [](StepContext& step) { return n(step); };
    script().on_batchlet = [](StepContext& step) { return n(step); };
    const JobExecution execution = run(job(batchlet(plan(10) + std::string(artifacts))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    const Lines& log = script().log;
    ASSERT_THAT(log, SizeIs(23));  // begin, of each partition two, before, after
    for (std::size_t i = 1; i < 21; i += 2) EXPECT_EQ("data " + log[i + 1].substr(log[i + 1].find(' ') + 1), log[i]);
}

TEST_P(Partitions, AFailedPartitionRollsTheStepBackAfterTheOthersHaveEnded) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (n(step) == "0") throw Bad("zero");
        return "OK";
    };
    const JobExecution execution = run(job(batchlet(plan(3) + std::string(artifacts))));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->message, "partition 0: zero");
    EXPECT_EQ(execution.failure->error_class, "test.Bad");
    EXPECT_EQ(std::ranges::count(script().log, "data c"), 3);  // a batchlet's collector is asked also then
    EXPECT_THAT(script().log, Contains("FAILED FAILED"));
    EXPECT_EQ(script().log.at(script().log.size() - 2), "rollback");
    EXPECT_EQ(script().log.back(), "after ROLLBACK");
    const auto all = partitions(execution.id);
    EXPECT_EQ(all[0].status, BatchStatus::failed);
    EXPECT_EQ(all[0].failure->message, "partition 0: zero");
    EXPECT_EQ(all[1].status, BatchStatus::completed);
    expect_sound();
}

TEST_P(Partitions, OnlyWhatIsNotCompletedRunsAgainEachFromItsOwnProgress) {
    script().on_process = [](std::int64_t item) {
        if (item == 5 && script().attempts[0]++ == 0) throw Bad("five");
        return true;
    };
    const JobDefinition definition = job(with(chunk_step(6, plan(2, R"(threads="1")")), ""));
    const JobExecution first = run(definition);
    EXPECT_EQ(first.status, BatchStatus::failed);
    EXPECT_EQ(written().size(), 9U);  // 3 of the one, 6 of the other
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(numbers_of(second.id), SizeIs(1));
    EXPECT_EQ(written().size(), 12U);
    EXPECT_EQ(step(second.id).metrics.read, 3);
    EXPECT_EQ(step(first.id).metrics.read, 9);
    expect_sound();
}

TEST_P(Partitions, ACompletedStepThatMayStartAgainRunsAllItsPartitions) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (step.step_name == "t" && script().attempts[0]++ == 0) throw Bad("later");
        return "";
    };
    const JobExecution first = run(job(with(chunk_step(2, plan(2)), R"(allow-start-if-complete="true" next="t")") +
                                       R"(<step id="t"><batchlet ref="scripted"/></step>)"));
    EXPECT_EQ(first.status, BatchStatus::failed);
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(numbers_of(second.id), ElementsAre(0, 1));
    EXPECT_EQ(written().size(), 8U);
    expect_sound();
}

TEST_P(Partitions, TheMapperIsAskedAtEachStartAndTheNumberStays) {
    int count = 3;
    script().on_map = [&] {
        PartitionPlan plan{.partitions = count};
        for (int i = 0; i < count; ++i) plan.properties.push_back({{"n", fmt::format("{}of{}", i, count)}});
        return plan;
    };
    std::mutex mutex;
    std::set<std::string> seen;
    script().on_batchlet = [&](StepContext& step) -> std::string {
        const std::lock_guard lock(mutex);
        seen.insert(n(step));
        if (n(step) == "0of3") throw Bad("zero");
        return "";
    };
    const JobExecution first = run(job(batchlet(R"(<mapper ref="mapper"/>)")));
    EXPECT_EQ(first.status, BatchStatus::failed);
    seen.clear();
    count = 7;  // §8.8.1.8: the count once established stays; the properties are the new plan's
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(seen, ElementsAre("0of7"));
    expect_sound();
}

TEST_P(Partitions, AMapperMayOverrideAndThenAllBeginsAnew) {
    PartitionPlan answer{.partitions = 2, .threads = 1};
    script().on_map = [&] { return answer; };
    script().on_process = [](std::int64_t item) {
        if (item == 5 && script().attempts[0]++ == 0) throw Bad("five");
        return true;
    };
    const JobExecution first = run(job(with(chunk_step(6, R"(<mapper ref="mapper"/><reducer ref="reducer"/>)"), "")));
    EXPECT_EQ(first.status, BatchStatus::failed);
    EXPECT_EQ(std::ranges::count(script().log, "rollback"), 1);
    script().log.clear();
    answer = {.partitions = 3, .threads = 1, .override_partitions = true};
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(numbers_of(second.id), ElementsAre(0, 1, 2));
    EXPECT_EQ(step(second.id).metrics.read, 18);
    EXPECT_EQ(std::ranges::count(script().log, "reader.open 0"), 3);
    // what earlier partitions did is the reducer's to clean up, after the mapper and before the first partition
    EXPECT_LT(std::ranges::find(script().log, "rollback"), std::ranges::find(script().log, "reader.open 0"));
    EXPECT_EQ(std::ranges::count(script().log, "rollback"), 1);
    expect_sound();
}

TEST_P(Partitions, APlanOfNoneIsCompleted) {
    script().on_map = [] { return PartitionPlan{}; };
    const JobExecution execution = run(job(batchlet(R"(<mapper ref="mapper"/><reducer ref="reducer"/>)")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_THAT(script().log, ElementsAre("begin", "map", "before", "after COMMIT"));
    EXPECT_EQ(step(execution.id).partitions, 0);
    EXPECT_EQ(run(job(batchlet(R"(<plan partitions="0"/>)"))).status, BatchStatus::completed);
}

TEST_P(Partitions, ThousandsAreOrdinary) {
    std::atomic<int> ran = 0;
    script().on_batchlet = [&](StepContext&) {
        ++ran;
        return std::string();
    };
    const JobExecution execution = run(job(batchlet(plan(10'000))));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(ran, 10'000);
    EXPECT_THAT(partitions(execution.id), SizeIs(10'000));
    expect_sound();
}

TEST_P(Partitions, ThePlanIsStoredInAFewStatements) {
    const auto statements = [&](int count) {
        const JobDefinition definition = job(batchlet(plan(count)));
        script().on_batchlet = [](StepContext&) { return std::string(); };
        const auto before = repository_->statement_count();
        run(definition);
        return repository_->statement_count() - before;
    };
    const auto begin = std::chrono::steady_clock::now();
    const auto hundred = statements(100);
    const auto thousand = statements(1000);
    // Entering and ending each, nothing for its place in the plan; requests are asked for once a second besides, in a
    // few statements.
    const auto asked = std::chrono::ceil<std::chrono::seconds>(std::chrono::steady_clock::now() - begin).count();
    EXPECT_LE(thousand - hundred, 900 * 8 + 20 + 5 * asked);
}

TEST_P(Partitions, NotMoreThanThreadsRunAtOnce) {  // §8.2.6.2
    std::atomic<int> now = 0;
    std::atomic<int> most = 0;
    script().on_batchlet = [&](StepContext&) {
        const int here = ++now;
        for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) {
        }
        std::this_thread::yield();
        --now;
        return std::string();
    };
    EXPECT_EQ(run(job(batchlet(plan(50, R"(threads="2")")))).status, BatchStatus::completed);
    EXPECT_LE(most, 2);
}

TEST_P(Partitions, WithoutHelpersTheStepRunsItsOwn) {  // §8.2.6.2
    JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
    script().on_batchlet = [](StepContext&) { return std::string(); };
    const std::string inner = batchlet(plan(4) + std::string(artifacts));
    const JobExecutionId id = alone.start(
        job(R"(<split id="x"><flow id="f">)" + inner +
            R"(</flow><flow id="g"><step id="t"><batchlet ref="scripted"/><partition><plan partitions="3"/></partition></step></flow></split>)"),
        {});
    const auto ended = alone.wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::completed);
}

TEST_P(Partitions, SplitsOfSplitsAndPartitionsFinishWhereTheirCoordinatorsTakeAllThreads) {
    // With two threads the flows of the outer split take both, and each waits for children of its own.
    const auto parts = [](const std::string& id) {
        return fmt::format(
            R"(<step id="{}"><batchlet ref="scripted"/><partition><plan partitions="3"/>{}</partition></step>)", id,
            artifacts);
    };
    const auto flow = [](const std::string& id, const std::string& inside) {
        return fmt::format(R"(<flow id="{}">{}</flow>)", id, inside);
    };
    const auto split = [&](const std::string& id, const std::string& inside) {
        return fmt::format(R"(<split id="{0}">{1}{2}</split>)", id, flow(id + "-a", inside),
                           flow(id + "-b", parts(id + "-p")));
    };
    const JobDefinition definition =
        job(fmt::format(R"(<split id="x">{}{}</split>)", flow("f", split("y", split("z", parts("deep")))),
                        flow("g", split("v", split("w", parts("deeper"))))));
    for (const std::size_t threads : {0, 1, 2}) {
        JobOperator few(*repository_, registry_, drivers_, {.helpers = threads});
        const JobExecutionId id = few.start(definition, {});
        const auto ended = few.wait(id, std::chrono::seconds(60));
        ASSERT_TRUE(ended) << threads;
        EXPECT_EQ(ended->status, BatchStatus::completed);
        EXPECT_THAT(repository_->steps_of(id), SizeIs(6));
    }
    expect_sound();
}

TEST_P(Partitions, StopReachesThoseThatRunAndTheOthersAreNeverEntered) {
    std::mutex mutex;
    std::condition_variable changed;
    int here = 0;
    bool stopped = false;
    script().on_batchlet = [&](StepContext&) {
        std::unique_lock lock(mutex);
        ++here;
        changed.notify_all();
        EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return stopped; }));
        return std::string();
    };
    script().on_batchlet_stop = [&] {
        const std::lock_guard lock(mutex);
        stopped = true;
        changed.notify_all();
    };
    const JobExecutionId id =
        operator_->start(job(batchlet(plan(5, R"(threads="2")") + R"(<reducer ref="reducer"/>)")), {});
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return here == 2; }));
    }
    operator_->stop(id);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::stopped);
    EXPECT_EQ(here, 2);
    const auto all = partitions(id);
    ASSERT_THAT(all, SizeIs(5));
    for (const PartitionExecution& partition : all) EXPECT_EQ(partition.status, BatchStatus::stopped);
    EXPECT_EQ(std::ranges::count_if(all, [](const auto& p) { return p.started.has_value(); }), 2);
    EXPECT_EQ(script().log.back(), "after ROLLBACK");
    script().on_batchlet = nullptr;
    EXPECT_EQ(restart(id).status, BatchStatus::completed);
    expect_sound();
}

TEST_P(Partitions, UserDataIsKeptForEachPartitionAndApartFromTheSteps) {
    script().on_batchlet = [](StepContext& step) -> std::string {
        if (!step.persistent_user_data) {
            step.persistent_user_data = "data of " + n(step);
            throw Bad("first time");
        }
        EXPECT_EQ(*step.persistent_user_data, "data of " + n(step));
        return "";
    };
    const JobExecution first = run(job(batchlet(plan(2))));
    EXPECT_EQ(first.status, BatchStatus::failed);
    EXPECT_FALSE(step(first.id).user_data);
    EXPECT_EQ(restart(first.id).status, BatchStatus::completed);
}

// --- exceptions from every artifact of a partitioned step

TEST_P(Partitions, AnExceptionFromAnyOfTheArtifactsFailsTheStepAndRollsBack) {  // §9.5
    script().on_batchlet = [](StepContext&) { return std::string("X"); };
    script().on_map = [] { return PartitionPlan{.partitions = 2}; };
    const JobDefinition definition = job(batchlet(R"(<mapper ref="mapper"/>)" + std::string(artifacts)));
    for (const std::string_view at : {"begin", "map", "data c", "COMPLETED X", "before", "after COMMIT"}) {
        SCOPED_TRACE(at);
        script().log.clear();
        script().on_call.clear();
        script().on_call[std::string(at)] = [](StepContext*, JobContext&) { throw Bad("as told"); };
        const JobExecution execution = run(definition);
        EXPECT_EQ(execution.status, BatchStatus::failed);
        ASSERT_TRUE(execution.failure);
        EXPECT_EQ(execution.failure->message, "as told");
        if (at == "after COMMIT") continue;
        EXPECT_THAT(script().log, Contains("rollback"));
        EXPECT_EQ(script().log.back(), "after ROLLBACK");
    }
    script().on_call.clear();
    script().on_collect = [](StepContext&) -> std::optional<std::string> { throw Bad("as told"); };
    const JobExecution execution = run(definition);
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_THAT(execution.failure->message, ::testing::EndsWith(": as told")) << "either may be the first";
    expect_sound();
}

TEST_P(Partitions, AnExceptionFromTheReducersRollbackIsToldIfNothingElseFailed) {  // §9.5
    script().on_call["rollback"] = [](StepContext*, JobContext&) { throw Bad("rollback"); };
    script().on_batchlet = [](StepContext&) -> std::string { throw Bad("work"); };
    const JobExecution execution = run(job(batchlet(plan(1) + R"(<reducer ref="reducer"/>)")));
    EXPECT_EQ(execution.failure->message, "partition 0: work");
    EXPECT_EQ(script().log.back(), "after ROLLBACK");
}

TEST_P(Partitions, AMapperThatAnswersNonsenseFailsTheStep) {
    script().on_map = [] { return PartitionPlan{.partitions = 1, .properties = {{}, {}}}; };
    const JobExecution execution = run(job(batchlet(R"(<mapper ref="mapper"/>)")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_THAT(execution.failure->message, HasSubstr("answered 1 partitions, 0 threads and properties of 2"));
}

TEST_P(Partitions, APartitionWhosePropertiesDoNotResolveFailsAlone) {
    const std::string body =
        R"(<step id="s"><chunk item-count="#{partitionPlan['n']}"><reader ref="numbers"><properties>)"
        R"(<property name="count" value="2"/></properties></reader><writer ref="rows"/></chunk>)"
        R"(<partition><plan partitions="2"><properties partition="1"><property name="n" value="none"/></properties></plan></partition></step>)";
    const JobExecution execution = run(job(body));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_THAT(execution.failure->message, HasSubstr("item-count=\"none\""));
    EXPECT_EQ(partitions(execution.id)[0].status, BatchStatus::completed);
}

// --- owners that die

TEST_P(Partitions, AnAdopterGoesOnWithThosePartitionsThatHadNotEnded) {
    const JobDefinition definition = job(with(chunk_step(6, R"(<mapper ref="mapper"/>)" + std::string(artifacts)), ""));
    script().on_map = [] { return PartitionPlan{.partitions = 3, .threads = 1}; };
    const auto collect = [](StepContext& step) { return fmt::format("{}", step.metrics.commits); };
    ASSERT_TRUE(died(in_child([&] {
        script().on_map = [] { return PartitionPlan{.partitions = 3, .threads = 1}; };
        script().on_collect = collect;
        script().on_process = [](std::int64_t item) {
            if (item == 5 && script().attempts[0]++ == 1) die();  // in the second partition
            return true;
        };
        run(definition);
        return 0;
    })));
    script().log.clear();
    script().on_collect = collect;
    script().on_map = []() -> PartitionPlan { throw Bad("mapped again"); };
    operator_->recover(latest());
    const JobExecution recovered = *operator_->wait(latest());
    EXPECT_EQ(recovered.status, BatchStatus::completed);
    EXPECT_EQ(written().size(), 18U);
    EXPECT_EQ(step(recovered.id).metrics, (Metrics{.read = 18, .written = 18, .commits = 9}));
    Lines heard;
    for (const std::string& line : script().log)
        if (line.starts_with("data ") || line.starts_with("COMPLETED")) heard.push_back(line);
    // a new analyzer hears all of it: what was stored, and what comes
    EXPECT_THAT(heard, ElementsAre("data 0", "data 1", "data 2", "COMPLETED COMPLETED", "data 0", "data 1", "data 2",
                                   "COMPLETED COMPLETED", "data 0", "data 1", "data 2", "COMPLETED COMPLETED"));
    EXPECT_THAT(script().log, testing::Not(Contains("begin")));
    expect_sound();
}

TEST_P(Partitions, WhatALostOwnerLeavesEndsWithTheExecutionAndCounts) {
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [](std::int64_t item) {
            if (item == 5 && script().attempts[0]++ == 1) die();
            return true;
        };
        run(job(with(chunk_step(6, plan(3, R"(threads="1")")), "")));
        return 0;
    })));
    EXPECT_EQ(step(latest()).metrics.read, 9);  // while it looks as if it ran
    operator_->fail_lost(latest());
    EXPECT_EQ(step(latest()).metrics.read, 9);
    const auto all = partitions(latest());
    EXPECT_EQ(all[0].status, BatchStatus::completed);
    EXPECT_EQ(all[1].status, BatchStatus::failed);
    EXPECT_EQ(all[1].metrics.read, 3);
    EXPECT_EQ(all[2].status, BatchStatus::stopped);
    expect_sound();
    const JobExecution second = restart(latest());
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(numbers_of(second.id), ElementsAre(1, 2));
    EXPECT_EQ(written().size(), 18U);
    expect_sound();
}

TEST_P(Partitions, EachHasARowOfItsOwnInASinkElsewhere) {
    const std::string writer = fmt::format(
        R"(<writer ref="rows"><properties><property name="url" value="{}"/></properties></writer>)", path("sink.db"));
    const JobDefinition definition = job(with(
        chunk_step(6, plan(3, R"(threads="1")") + R"(<collector ref="collector"/><analyzer ref="analyzer"/>)", writer),
        ""));
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [](std::int64_t item) {
            if (item == 5 && script().attempts[0]++ == 1) die();
            return true;
        };
        run(definition);
        return 0;
    })));
    script().log.clear();
    operator_->recover(latest());
    EXPECT_EQ(operator_->wait(latest())->status, BatchStatus::completed);
    EXPECT_EQ(written("sink.db").size(), 18U);
    EXPECT_EQ(std::ranges::count(script().log, "data c"), 9);
    auto sink = drivers_.open(path("sink.db"))->connect(sql::OpenMode::read_only);
    EXPECT_EQ(sink->execute("SELECT COUNT(*) FROM fermata_sink WHERE partition > 0")[0][0].integer(), 3);
}

TEST_P(Partitions, CountsAddUpAfterADeathWhereTheSinkIsAnotherDatabase) {
    const std::string writer = fmt::format(
        R"(<writer ref="rows"><properties><property name="url" value="{}"/></properties></writer>)", path("sink.db"));
    const JobDefinition definition = job(with(chunk_step(9, plan(3, R"(threads="1")"), writer), ""));
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [](std::int64_t item) {
            if (item == 8 && script().attempts[0]++ == 1) die();  // in the second partition, two chunks after its copy
            return true;
        };
        run(definition);
        return 0;
    })));
    operator_->fail_lost(latest());
    const auto all = partitions(latest());
    EXPECT_EQ(all[0].metrics.written, 9);
    EXPECT_EQ(all[1].metrics, (Metrics{.read = 6, .written = 6, .commits = 2}));
    EXPECT_EQ(all[2].metrics, Metrics{});
    EXPECT_EQ(step(latest()).metrics.written, 15);
    EXPECT_EQ(written("sink.db").size(), 15U);
    expect_sound();
    const JobExecution second = restart(latest());
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(step(second.id).metrics.written, 12);
    EXPECT_EQ(written("sink.db").size(), 27U);
}

INSTANTIATE_TEST_SUITE_P(Of, Partitions, testing::Bool(), [](const testing::TestParamInfo<bool>& of) {
    return of.param ? std::string("AnyWorker") : std::string("TheProcess");
});

}  // namespace
}  // namespace fermata::test
