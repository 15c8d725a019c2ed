// Partitions that workers claim, with several operators and services in one process, each with a repository of its own.
#include "gate.hpp"
#include "harness.hpp"

#include <fermata/runtime/worker_service.hpp>

#include <gmock/gmock.h>

#include <fmt/format.h>

#include <atomic>
#include <list>
#include <set>
#include <thread>

namespace fermata::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr auto deadline = std::chrono::seconds(120);

class SharedPartitions : public Harness {
protected:
    /// A process of its own, as far as the repository can tell.
    struct Host {
        Host(SharedPartitions& test, std::string name, std::int64_t slots, Duration grace)
            : repository(test.drivers_.open(test.path("repo.db")), test.folder_ / "repo.db.d", false),
              jobs(repository, test.registry_, test.drivers_, {}),
              service(jobs, {.name = std::move(name),
                             .slots = slots,
                             .jobs = [definitions = test.served_]() mutable { return std::exchange(definitions, {}); },
                             .grace = grace,
                             .tell = {}}),
              thread([this] { service.run(); }) {}
        ~Host() { service.drain(); }

        Repository repository;
        JobOperator jobs;
        WorkerService service;
        std::jthread thread;
    };
    static JobDefinition shared(const std::string& work, int count, const std::string& more = "") {
        std::string plan = fmt::format(R"(<plan partitions="{}">)", count);
        for (int i = 0; i < count; ++i)
            plan += fmt::format(R"(<properties partition="{0}"><property name="n" value="{0}"/></properties>)", i);
        JobDefinition made =
            job(R"(<step id="s"><properties><property name="n" value="#{partitionPlan['n']}"/></properties>)" + work +
                "<partition>" + plan + "</plan>" + more + "</partition></step>");
        std::get<StepDefinition>(made.elements.at(0).what).partition->workers = Template::literal("any");
        return made;
    }
    static constexpr std::string_view batchlet = R"(<batchlet ref="scripted"/>)";
    static std::string n(StepContext& step) { return step.properties.get<std::string>("n", ""); }
    Host& host(const std::string& name, std::int64_t slots, Duration grace = deadline) {
        return hosts_.emplace_back(*this, name, slots, grace);
    }
    template <class Holds>
    static void wait_until(Holds&& holds) {
        const auto until = std::chrono::steady_clock::now() + deadline;
        while (!holds() && std::chrono::steady_clock::now() < until)
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    JobExecution awaited(JobExecutionId id) {
        const auto until = std::chrono::steady_clock::now() + deadline;
        for (;;) {
            const JobExecution now = operator_->job_execution(id);
            if (now.ended || now.status == BatchStatus::paused) return now;
            if (std::chrono::steady_clock::now() > until) {
                ADD_FAILURE() << "execution " << id.value() << " is still " << to_string(now.status);
                return now;
            }
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
        }
    }
    std::vector<PartitionExecution> partitions(JobExecutionId id) { return repository_->partitions_of(step(id).id); }
    std::set<std::string> workers_of(JobExecutionId id) {
        std::set<std::string> names;
        for (const PartitionExecution& each : partitions(id)) names.insert(each.worker);
        return names;
    }
    void expect_sound() { EXPECT_THAT(repository_->verify(), IsEmpty()); }
    /// Two partitions for a worker with one slot; the first of them runs.
    JobExecutionId two_that_run_until_stopped(const std::string& answer) {
        script().on_batchlet_stop = [this] { stopped_.open(); };
        script().on_batchlet = [this, answer](StepContext&) {
            running_.open();
            EXPECT_TRUE(stopped_.wait());
            return answer;
        };
        const JobDefinition two = shared(std::string(batchlet), 2);
        served_ = {two};
        const JobExecutionId id = operator_->submit(two, {});
        host("alpha", 1);
        EXPECT_TRUE(running_.wait());
        return id;
    }

    Gate running_;
    Gate stopped_;
    std::optional<std::vector<JobDefinition>> served_;
    std::list<Host> hosts_;  // last: its threads use the gates
};

TEST_F(SharedPartitions, AWorkerHelpsTheProcessOfARun) {
    // Both are there at once, and the process of the run has a single thread.
    Gate first;
    Gate second;
    script().on_batchlet = [&](StepContext& step) {
        (n(step) == "0" ? first : second).open();
        EXPECT_TRUE(first.wait() && second.wait());
        return "P" + n(step);
    };
    const JobDefinition two = shared(std::string(batchlet), 2, R"(<analyzer ref="analyzer"/><reducer ref="reducer"/>)");
    served_ = {two};
    host("alpha", 1);
    JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
    const JobExecutionId id = alone.start(two, {});
    EXPECT_EQ(BatchStatus::completed, alone.wait(id, deadline)->status);
    EXPECT_THAT(workers_of(id), SizeIs(2));
    EXPECT_THAT(workers_of(id), testing::Contains("alpha"));
    EXPECT_THAT(script().log,
                ElementsAre("begin", HasSubstr("COMPLETED P"), HasSubstr("COMPLETED P"), "before", "after COMMIT"));
    expect_sound();
}

TEST_F(SharedPartitions, WhatAStartSaysOfItsStepsIsTrueOfAnyOfThem) {
    Gate first;
    Gate second;
    script().on_batchlet = [&](StepContext& step) {
        (n(step) == "0" ? first : second).open();
        EXPECT_TRUE(first.wait() && second.wait());
        return std::string();
    };
    JobDefinition two = shared(std::string(batchlet), 2);
    std::get<StepDefinition>(two.elements.at(0).what).partition->workers.reset();
    served_ = {two};
    host("alpha", 1);
    JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
    const JobExecutionId id = alone.start(two, {.for_workers = true});
    EXPECT_EQ(BatchStatus::completed, alone.wait(id, deadline)->status);
    EXPECT_THAT(workers_of(id), testing::Contains("alpha"));
}

TEST_F(SharedPartitions, AsManyOneSlotWorkersAsPartitionedJobsFinishThem) {
    const JobDefinition rows = shared(
        R"(<chunk item-count="2"><reader ref="numbers"><properties><property name="count" value="5"/></properties>)"
        R"(</reader><writer ref="rows"/></chunk>)",
        4);
    served_ = {rows};
    std::vector<JobExecutionId> ids;
    for (int i = 0; i < 3; ++i) ids.push_back(operator_->submit(rows, {}));
    for (const char* name : {"alpha", "beta", "gamma"}) host(name, 1);
    for (const JobExecutionId id : ids) {
        EXPECT_EQ(BatchStatus::completed, awaited(id).status);
        EXPECT_EQ((Metrics{.read = 20, .written = 20, .commits = 12}), step(id).metrics);
    }
    EXPECT_THAT(written(), SizeIs(60));
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, ASplitOfPartitionedStepsNeedsOneSlot) {
    JobDefinition both =
        job(R"(<split id="both"><flow id="f1"><step id="a"><batchlet ref="scripted"/><partition><plan partitions="3"/>)"
            R"(</partition></step></flow><flow id="f2"><step id="b"><batchlet ref="scripted"/><partition>)"
            R"(<plan partitions="3"/></partition></step></flow></split>)");
    script().on_batchlet = [](StepContext&) { return std::string(); };
    served_ = {both};
    const JobExecutionId id = operator_->submit(both, {.for_workers = true});
    host("alpha", 1);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, AStopReachesThoseThatRunElsewhere) {
    const JobExecutionId id = two_that_run_until_stopped("STOPPED HERE");
    operator_->stop(id);
    EXPECT_EQ(BatchStatus::stopped, awaited(id).status);
    for (const PartitionExecution& each : partitions(id)) EXPECT_EQ(BatchStatus::stopped, each.status);
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, AStopOfTheStepEndsItAndTheJobGoesOn) {
    const JobExecutionId id = two_that_run_until_stopped("");
    operator_->stop_step(id, "s");
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    EXPECT_EQ("STEP_STOPPED", step(id).exit_status);
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, APauseRestsThemAndAfterItTheyGoOnFromTheirCheckpoints) {
    Gate third;
    Gate go_on;
    script().on_read = [&](std::int64_t item) {
        if (item != 3) return;
        third.open();
        EXPECT_TRUE(go_on.wait());
    };
    const JobDefinition rows = shared(
        R"(<chunk item-count="2"><reader ref="numbers"><properties><property name="count" value="5"/></properties>)"
        R"(</reader><writer ref="rows"/></chunk>)",
        2);
    served_ = {rows};
    const JobExecutionId id = operator_->submit(rows, {});
    host("alpha", 1);
    ASSERT_TRUE(third.wait());
    operator_->pause(id);
    go_on.open();
    EXPECT_EQ(BatchStatus::paused, awaited(id).status);
    EXPECT_LT(written().size(), 10U);
    expect_sound();
    operator_->submit_resume(id);
    while (operator_->job_execution(id).status == BatchStatus::paused) std::this_thread::yield();
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    EXPECT_THAT(written(), SizeIs(10));
    EXPECT_EQ(10, step(id).metrics.written);
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, AWorkerThatLeavesHandsItsPartitionsOnFromTheirCheckpoints) {
    Gate third;
    Gate go_on;
    std::atomic<bool> first_time = true;
    script().on_read = [&](std::int64_t item) {
        if (item != 3 || !first_time.exchange(false)) return;
        third.open();
        EXPECT_TRUE(go_on.wait());
    };
    const JobDefinition rows = shared(
        R"(<chunk item-count="2"><reader ref="numbers"><properties><property name="count" value="6"/></properties>)"
        R"(</reader><writer ref="rows"/></chunk>)",
        1);
    served_ = {rows};
    const JobExecutionId id = operator_->submit(rows, {});
    host("alpha", 1, Duration(0));
    ASSERT_TRUE(third.wait());
    hosts_.back().service.drain();
    // Its owner only waited: it is handed on first.
    wait_until([&] { return operator_->job_execution(id).status == BatchStatus::starting; });
    go_on.open();
    hosts_.clear();
    EXPECT_EQ(BatchStatus::starting, operator_->job_execution(id).status);
    EXPECT_THAT(partitions(id).at(0).status, testing::AnyOf(BatchStatus::paused, BatchStatus::completed));
    expect_sound();
    host("beta", 1);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    EXPECT_EQ(numbers(1, 6), written());
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, AStepThatHasFailedLeavesNoneThatRunsElsewhereEvenIfItsOwnerLeaves) {
    Gate gates[2];
    Gate analyzed;
    std::atomic<Host*> owner = nullptr;
    JobExecutionId id;
    const auto looks_more = [&](std::int64_t times) {
        return [&, more = owner.load()->repository.statement_count() + times] {
            return operator_->job_execution(id).ended || owner.load()->repository.statement_count() > more;
        };
    };
    script().on_batchlet = [&](StepContext& step) {
        running_.open();
        EXPECT_TRUE(gates[std::stoi(n(step))].wait(deadline));
        return "P" + n(step);
    };
    script().on_analyze = [&](const std::string&) {
        // It leaves at the very instant its step fails.
        owner.load()->service.drain();
        wait_until([&] { return std::ranges::any_of(owner.load()->repository.workers(), &WorkerState::draining); });
        wait_until(looks_more(3));
        analyzed.open();
        throw std::runtime_error("of no use");
    };
    const JobDefinition two = shared(std::string(batchlet), 2, R"(<analyzer ref="analyzer"/>)");
    served_ = {two};
    id = operator_->submit(two, {});
    owner = &host("alpha", 1, Duration(0));
    ASSERT_TRUE(running_.wait());
    host("beta", 1);
    wait_until([&] { return workers_of(id) == std::set<std::string>{"alpha", "beta"}; });
    const std::vector<PartitionExecution> all = partitions(id);
    const bool alphas_is_first = all.at(0).worker == "alpha";
    gates[alphas_is_first ? 0 : 1].open();
    ASSERT_TRUE(analyzed.wait(deadline));
    wait_until(looks_more(60));
    gates[alphas_is_first ? 1 : 0].open();
    EXPECT_EQ(BatchStatus::failed, awaited(id).status);
    for (const PartitionExecution& each : partitions(id)) EXPECT_EQ(BatchStatus::completed, each.status);
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, WhatAPartitionAsksForPausesTheJobAndItIsEnteredAgain) {
    std::atomic<int> entered = 0;
    script().on_batchlet = [&](StepContext& step) {
        if (++entered == 1) step.pause({.point = "approve"});
        return std::string();
    };
    const JobDefinition one = shared(std::string(batchlet), 1);
    served_ = {one};
    const JobExecutionId id = operator_->submit(one, {});
    host("alpha", 1);
    EXPECT_EQ(BatchStatus::paused, awaited(id).status);
    expect_sound();
    operator_->signal(id, {.point = "approve", .key = "k"});
    while (operator_->job_execution(id).status == BatchStatus::paused) std::this_thread::yield();
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    EXPECT_EQ(2, entered.load());
    hosts_.clear();
    expect_sound();
}

TEST_F(SharedPartitions, WhatCannotBeAssembledWhereItIsClaimedFailsWithTheReason) {
    JobDefinition limited = job(R"(<step id="s" start-limit="#{jobParameters['limit']}?:1;"><batchlet ref="scripted"/>)"
                                R"(<partition><plan partitions="1"/></partition></step>)");
    served_ = {limited};
    // The execution is owned here; its parameters make no job.
    Worker owner(folder_ / "repo.db.d");
    const auto claim =
        std::get<Claim>(repository_->launch({.definition = {hash_of(limited), limited.id, to_json(limited)},
                                             .parameters = {{"limit", "many"}},
                                             .working_directory = folder_.string(),
                                             .actor = "ann"},
                                            owner));
    StepEntry entry = repository_->enter_step(claim, "s", StepEntryMode::start);
    repository_->store_plan(entry, {.partitions = 1, .for_workers = true});
    host("alpha", 1);
    wait_until([&] { return repository_->partitions_of(entry.claim.id).at(0).ended.has_value(); });
    const PartitionExecution ended = repository_->partitions_of(entry.claim.id).at(0);
    EXPECT_EQ(BatchStatus::failed, ended.status);
    ASSERT_TRUE(ended.failure);
    EXPECT_THAT(ended.failure->message, HasSubstr("start-limit"));
}

// --- turns

class Turns : public SharedPartitions {
protected:
    static constexpr Duration turn = std::chrono::milliseconds(1);
    /// `count` partitions of so many numbers, a chunk each, that take turns.
    static JobDefinition in_turns(int count, int items, const std::string& more = "") {
        JobDefinition made = shared(
            fmt::format(R"(<chunk item-count="1"><reader ref="numbers"><properties><property name="count" value="{}"/>)"
                        R"(</properties></reader><writer ref="rows"/></chunk>)",
                        items),
            count, more);
        std::get<StepDefinition>(made.elements.at(0).what).partition->turn = Template::literal("1ms");
        return made;
    }
    /// Each item takes longer than a turn.
    static void take_longer_than_a_turn() {
        const auto until = std::chrono::steady_clock::now() + 2 * turn;
        while (std::chrono::steady_clock::now() < until) std::this_thread::yield();
    }
    static std::int64_t calls(std::string_view of) {
        const std::lock_guard lock(script().mutex);
        return std::ranges::count_if(script().log, [&](const std::string& call) { return call.starts_with(of); });
    }
};

TEST_F(Turns, ALongPartitionLetsAnotherJobGoFirst) {
    Gate second_item;
    Gate submitted;
    Gate other_ran;
    constexpr int last = 1'000;
    script().on_read = [&](std::int64_t item) {
        if (item == 2) {
            second_item.open();
            EXPECT_TRUE(submitted.wait());
        }
        if (item < last) return;
        EXPECT_TRUE(other_ran.wait()) << "it has the slot to its end";
    };
    script().on_batchlet = [&](StepContext&) {
        other_ran.open();
        return std::string();
    };
    const JobDefinition longer = in_turns(1, last);
    const JobDefinition shorter = shared(std::string(batchlet), 1);
    served_ = {longer, shorter};
    const JobExecutionId id = operator_->submit(longer, {});
    host("alpha", 1);
    ASSERT_TRUE(second_item.wait());
    const JobExecutionId other = operator_->submit(shorter, {});
    submitted.open();
    EXPECT_EQ(BatchStatus::completed, awaited(other).status);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    hosts_.clear();
    EXPECT_EQ(numbers(1, last), written());
    EXPECT_EQ((Metrics{.read = last, .written = last, .commits = last + 1}), step(id).metrics);
    EXPECT_GE(calls("reader.open"), 2);
    for (const Event& event : repository_->events_of(id, "", 100))
        EXPECT_THAT(event.kind, testing::Not(testing::AnyOf("step.paused", "partition.orphaned")));
    const auto state = repository_->steps_of_instance(operator_->job_execution(id).instance_id);
    EXPECT_EQ(1, state.at("s").starts);
    EXPECT_EQ(0, state.at("s").deaths);
    expect_sound();
}

TEST_F(Turns, OfThreeOnOneSlotEachDoesAChunkInItsTurn) {
    script().on_read = [](std::int64_t) { take_longer_than_a_turn(); };
    script().on_collect = [](StepContext& step) { return n(step); };
    const JobDefinition three = in_turns(3, 4, R"(<collector ref="collector"/><analyzer ref="analyzer"/>)");
    served_ = {three};
    const JobExecutionId id = operator_->submit(three, {});
    host("alpha", 1);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    hosts_.clear();
    EXPECT_THAT(written(), ElementsAre(1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4));
    EXPECT_EQ((Metrics{.read = 12, .written = 12, .commits = 15}), step(id).metrics);
    for (const char* data : {"data 0", "data 1", "data 2"}) EXPECT_EQ(5, calls(data)) << data;
    EXPECT_EQ(3, calls("COMPLETED"));
    expect_sound();
}

TEST_F(Turns, WhereNothingWaitsItKeepsItsSlot) {
    script().on_read = [](std::int64_t) { take_longer_than_a_turn(); };
    const JobDefinition one = in_turns(1, 5);
    served_ = {one};
    const JobExecutionId id = operator_->submit(one, {});
    host("alpha", 1);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    hosts_.clear();
    EXPECT_EQ(1, calls("reader.open"));
    EXPECT_EQ(numbers(1, 5), written());
}

TEST_F(Turns, TheProcessOfARunLetsThemTakeTurnsOnItsThreads) {
    JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
    std::vector<std::int64_t> shown;
    JobExecutionId id;
    Gate started;
    script().on_read = [&](std::int64_t) {
        EXPECT_TRUE(started.wait());
        shown.push_back(alone.running(id)->steps.at(0).metrics.written);
        take_longer_than_a_turn();
    };
    id = alone.start(in_turns(2, 3), {});
    started.open();
    EXPECT_EQ(BatchStatus::completed, alone.wait(id, deadline)->status);
    EXPECT_THAT(written(), ElementsAre(1, 1, 2, 2, 3, 3));
    EXPECT_THAT(shown, ElementsAre(0, 1, 2, 3, 4, 5)) << "nothing is counted twice";
    expect_sound();
}

TEST_F(Turns, OnTwoWorkersOfTwoSlotsEachItemIsDoneOnce) {
    script().on_read = [](std::int64_t) { take_longer_than_a_turn(); };
    const JobDefinition five = in_turns(5, 10);
    served_ = {five};
    const JobExecutionId id = operator_->submit(five, {});
    host("alpha", 2);
    host("beta", 2);
    EXPECT_EQ(BatchStatus::completed, awaited(id).status);
    hosts_.clear();
    EXPECT_EQ((Metrics{.read = 50, .written = 50, .commits = 55}), step(id).metrics);
    EXPECT_THAT(written(), SizeIs(50));
    EXPECT_GT(calls("reader.open"), 5);
    expect_sound();
}

TEST_F(Turns, AStopAndAPauseFindThoseThatWait) {
    for (const bool pauses : {true, false}) {
        Gate third;
        Gate go_on;
        script().on_read = [&](std::int64_t item) {
            take_longer_than_a_turn();
            if (item != 3) return;
            third.open();
            EXPECT_TRUE(go_on.wait());
        };
        const JobDefinition three = in_turns(3, 5);
        served_ = {three};
        const JobExecutionId id = operator_->submit(three, {});
        host("alpha", 1);
        ASSERT_TRUE(third.wait());
        for (const PartitionExecution& each : partitions(id))
            EXPECT_EQ(each.number == 0 ? BatchStatus::started : BatchStatus::starting, each.status) << each.number;
        if (pauses)
            operator_->pause(id);
        else
            operator_->stop(id);
        go_on.open();
        EXPECT_EQ(pauses ? BatchStatus::paused : BatchStatus::stopped, awaited(id).status);
        expect_sound();
        JobExecutionId last = id;
        if (pauses)
            operator_->submit_resume(id);
        else
            last = operator_->submit_restart(id, {});
        while (operator_->job_execution(last).status == BatchStatus::paused) std::this_thread::yield();
        EXPECT_EQ(BatchStatus::completed, awaited(last).status);
        hosts_.clear();
        if (pauses) {
            EXPECT_EQ((Metrics{.read = 15, .written = 15, .commits = 18}), step(id).metrics);
        }
        EXPECT_THAT(written(), SizeIs(pauses ? 15 : 30));
        expect_sound();
    }
}

}  // namespace
}  // namespace fermata::test
