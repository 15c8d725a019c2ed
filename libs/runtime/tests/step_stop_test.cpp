// Stopping one step while its job goes on: from this process and, as a row, from another.
#include "deadly.hpp"
#include "gate.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include <algorithm>

namespace fermata::test {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::Field;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;
using ::testing::StartsWith;
using Effect = StepStopAnswer::Effect;

class StepStopping : public Deadly {
protected:
    ~StepStopping() override { EXPECT_THAT(repository_->verify(), IsEmpty()); }

    static constexpr std::string_view then = R"(<step id="then"><batchlet ref="scripted"/></step>)";
    static std::string chunk_then(const std::string& attributes, int count, const std::string& step_attributes = "") {
        return chunk(attributes, count, "", "rows", R"(next="then")" + step_attributes) + std::string(then);
    }
    /// The reader waits before number `n` until the test has asked for something.
    void wait_before(std::int64_t n) {
        script().on_read = [this, n](std::int64_t number) {
            if (number != n || script().attempts[n]++ > 0) return;
            reached_.open();
            EXPECT_TRUE(asked_.wait());
        };
    }
    /// Asks as another process would: through a repository of its own.
    StepStopAnswer ask_elsewhere(JobExecutionId id, const std::string& step = "s", bool now = false) {
        Repository other(drivers_.open(path("repo.db")), folder_ / "repo.db.d", false);
        return other.request_step_stop(id, {.step = step, .now = now, .actor = "ann"});
    }
    JobExecution end(JobExecutionId id) {
        asked_.open();
        return *operator_->wait(id);
    }
    StepCut cut(JobExecutionId id) {
        const std::vector<StepCut> cuts = repository_->cuts_of(operator_->job_execution(id).instance_id);
        if (cuts.size() == 1) return cuts.front();
        ADD_FAILURE() << cuts.size() << " cuts";
        return {};
    }
    void expect_cut(JobExecutionId id, std::int64_t after, const std::string& name = "s") {
        const StepExecution ended = step(id, name);
        EXPECT_EQ(ended.status, BatchStatus::completed);
        EXPECT_EQ(ended.exit_status, "STEP_STOPPED");
        EXPECT_EQ(ended.metrics.read, after);
        EXPECT_EQ(cut(id).after, after);
    }

    Gate reached_;
    Gate asked_;
};

TEST_F(StepStopping, AChunkStepCommitsTheCurrentChunkAndTheJobGoesOn) {
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk_then(R"(item-count="100")", 10)), {});
    EXPECT_TRUE(reached_.wait());
    EXPECT_EQ(operator_->stop_step(id, "s").effect, Effect::requested);
    const JobExecution ended = end(id);
    EXPECT_EQ(ended.status, BatchStatus::completed);
    expect_cut(id, 5);
    EXPECT_EQ(written(), numbers(1, 5));
    EXPECT_EQ(step(id, "then").status, BatchStatus::completed);
    EXPECT_EQ(step(id, "then").exit_status, "COMPLETED");
    const auto events = repository_->events_of(id, "step.cut", 10);
    ASSERT_THAT(events, SizeIs(1));
    EXPECT_EQ(events[0].actor, cut(id).by);
    EXPECT_THAT(events[0].data, HasSubstr(R"("after":5)"));
}

TEST_F(StepStopping, ARequestFromAnotherProcessReachesATightLoopOfCommits) {
    script().on_read = [&](std::int64_t n) {
        if (n == 10) reached_.open();
    };
    const JobExecutionId id = operator_->start(job(chunk_then(R"(item-count="1")", 1'000'000'000)), {});
    EXPECT_TRUE(reached_.wait());
    EXPECT_EQ(ask_elsewhere(id).effect, Effect::requested);
    const auto ended = operator_->wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::completed);
    expect_cut(id, step(id).metrics.written);
    EXPECT_EQ(cut(id).by, "ann");
    EXPECT_EQ(written(), numbers(1, step(id).metrics.written));
}

TEST_F(StepStopping, ItsTransitionsMeetTheExitStatus) {
    wait_before(2);
    const JobExecutionId id =
        operator_->start(job(chunk("", 10).replace(chunk("", 10).find("</step>"), 7,
                                                   R"(<next on="STEP_STOPPED" to="then"/><fail on="*"/></step>)") +
                             std::string(then)),
                         {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    EXPECT_EQ(repository_->steps_of(id).size(), 2U);
}

TEST_F(StepStopping, ABatchletGetsStopAndWhatItReturnsIsNotItsExitStatus) {
    Gate told;
    script().on_batchlet = [&](StepContext& step) {
        if (step.step_name == "then") return std::string();
        reached_.open();
        EXPECT_TRUE(told.wait());
        return std::string("HALF");
    };
    script().on_batchlet_stop = [&] { told.open(); };
    const JobExecutionId id =
        operator_->start(job(R"(<step id="s" next="then"><batchlet ref="scripted"/></step>)" + std::string(then)), {});
    EXPECT_TRUE(reached_.wait());
    ask_elsewhere(id);
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    expect_cut(id, 0);
    EXPECT_EQ(step(id, "then").status, BatchStatus::completed);
}

TEST_F(StepStopping, OnlyAnExitStatusSetAfterTheStopCounts) {
    for (const bool after : {false, true}) {
        Gate running;
        Gate told;
        script().on_batchlet = [&](StepContext& step) {
            if (!after) step.exit_status = "EARLY";
            running.open();
            EXPECT_TRUE(told.wait());
            if (after) step.exit_status = "LATE";
            return std::string();
        };
        script().on_batchlet_stop = [&] { told.open(); };
        const JobExecutionId id = operator_->start(job(R"(<step id="s"><batchlet ref="scripted"/></step>)"), {});
        EXPECT_TRUE(running.wait());
        operator_->stop_step(id, "s");
        EXPECT_EQ(operator_->wait(id)->status, BatchStatus::completed);
        EXPECT_EQ(step(id).exit_status, after ? "LATE" : "STEP_STOPPED");
        EXPECT_EQ(cut(id).after, 0);
    }
}

TEST_F(StepStopping, ListenersMaySetItAfterTheStop) {
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    script().on_call["beforeStep"] = [](StepContext* step, JobContext&) { step->exit_status = "BEFORE"; };
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk(R"(item-count="3")", 10, "", "rows", "", listeners)), {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    script().on_call["afterStep"] = [](StepContext* step, JobContext&) {
        EXPECT_EQ(step->exit_status.value_or(""), "BEFORE");
        step->exit_status = "LISTENER";
    };
    end(id);
    EXPECT_EQ(step(id).exit_status, "LISTENER");
    EXPECT_EQ(cut(id).after, 5);
}

TEST_F(StepStopping, ABatchletThatThrowsAfterTheStopIsFailed) {
    Gate told;
    script().on_batchlet = [&](StepContext&) -> std::string {
        reached_.open();
        EXPECT_TRUE(told.wait());
        throw Bad("could not end well");
    };
    script().on_batchlet_stop = [&] { told.open(); };
    const JobExecutionId id = operator_->start(job(R"(<step id="s"><batchlet ref="scripted"/></step>)"), {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    EXPECT_EQ(end(id).status, BatchStatus::failed);
    EXPECT_FALSE(cut(id).after);
}

TEST_F(StepStopping, AStepWhoseWorkWasDoneWasNotCutShort) {
    script().on_call["beforeWrite 3"] = [&](StepContext*, JobContext&) {  // the reader has ended in this chunk
        reached_.open();
        EXPECT_TRUE(asked_.wait());
    };
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    const JobExecutionId id = operator_->start(
        job(chunk(R"(item-count="100")", 3, "", "rows", R"(next="then")", listeners) + std::string(then)), {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    EXPECT_EQ(step(id).exit_status, "COMPLETED");
    EXPECT_FALSE(cut(id).after);
}

TEST_F(StepStopping, AStopOfTheExecutionComesAfterIt) {
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk_then(R"(item-count="100")", 10)), {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    operator_->stop(id);
    EXPECT_THROW(operator_->stop_step(id, "s"), JobExecutionNotRunningException) << "it is STOPPING";
    EXPECT_EQ(end(id).status, BatchStatus::stopped);
    expect_cut(id, 5);
    const JobExecution again = restart(id);
    EXPECT_EQ(again.status, BatchStatus::completed);
    EXPECT_THAT(repository_->steps_of(again.id), ElementsAre(Field(&StepExecution::name, "then")));
    EXPECT_EQ(written(), numbers(1, 5));
}

TEST_F(StepStopping, APauseOfTheExecutionComesAfterIt) {
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk_then(R"(item-count="100")", 10)), {});
    EXPECT_TRUE(reached_.wait());
    operator_->pause(id);
    EXPECT_EQ(operator_->stop_step(id, "s").effect, Effect::requested);
    EXPECT_EQ(end(id).status, BatchStatus::paused);
    expect_cut(id, 5);
    EXPECT_THROW(operator_->stop_step(id, "then"), JobExecutionNotRunningException) << "it is PAUSED";
    EXPECT_EQ(operator_->resume(id).effect, ResumeAnswer::Effect::owned);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::completed);
}

TEST_F(StepStopping, AStepThatCameToRestFirstEndsWhenItIsEnteredAgain) {
    int entries = 0;
    script().on_batchlet = [&](StepContext& step) {
        ++entries;
        ask_elsewhere(step.job->execution_id);  // nobody has told the owner yet, as a rule
        step.pause({.point = "p"});
        return std::string();
    };
    JobExecution found = run(job(R"(<step id="s"><batchlet ref="scripted"/></step>)"));
    if (found.status == BatchStatus::paused) {
        EXPECT_THROW(operator_->stop_step(found.id, "s"), JobExecutionNotRunningException);
        operator_->resume(found.id);
        found = *operator_->wait(found.id);
    }
    EXPECT_EQ(found.status, BatchStatus::completed);
    EXPECT_EQ(entries, 1);
    expect_cut(found.id, 0);
}

TEST_F(StepStopping, WhatDoesNotRunCannotBeStopped) {
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk_then("", 10)), {});
    EXPECT_TRUE(reached_.wait());
    const auto refusal = [&](JobExecutionId execution, const std::string& name) -> std::string {
        try {
            operator_->stop_step(execution, name);
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::conflict);
            return std::string(error.what()) + " " + std::string(error.remedy());
        }
        return "nothing was refused";
    };
    EXPECT_THAT(refusal(id, "then"), AllOf(HasSubstr("was not entered"), HasSubstr("what runs: s")));
    EXPECT_THAT(refusal(id, "no such"), HasSubstr("was not entered"));
    asked_.open();
    operator_->wait(id);
    EXPECT_THAT(refusal(id, "s"), HasSubstr("the execution is COMPLETED"));
    EXPECT_THROW(operator_->stop_step(JobExecutionId(77), "s"), NoSuchJobExecutionException);
    EXPECT_THAT(repository_->cuts_of(operator_->job_execution(id).instance_id), IsEmpty());
}

TEST_F(StepStopping, AskingAgainSaysSinceWhenAndMayRaiseIt) {
    wait_before(5);
    const JobExecutionId id = operator_->start(job(chunk_then("", 10)), {});
    EXPECT_TRUE(reached_.wait());
    const StepStopAnswer first = operator_->stop_step(id, "s");
    const StepStopAnswer again = operator_->stop_step(id, "s", true);
    EXPECT_EQ(again.effect, Effect::already);
    EXPECT_EQ(again.since, first.since);
    EXPECT_TRUE(cut(id).now);
    EXPECT_EQ(operator_->stop_step(id, "s", true).effect, Effect::already);
    EXPECT_THAT(repository_->events_of(id, "step.stop_requested", 10), SizeIs(2));
    end(id);
}

TEST_F(StepStopping, NowRollsTheChunkBackAndIsNoFailure) {
    script().on_process = [&](std::int64_t n) {
        if (n < 5) return true;
        reached_.open();
        EXPECT_TRUE(asked_.wait());
        throw Bad("killed");  // as a child does that is killed
    };
    const JobExecutionId id = operator_->start(job(chunk_then(R"(item-count="3")", 10)), {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s", true);
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    expect_cut(id, 3);
    EXPECT_EQ(written(), numbers(1, 3));
}

TEST_F(StepStopping, MaxRateNeverHoldsItUp) {
    script().on_read = [&](std::int64_t n) {
        if (n == 1) reached_.open();
    };
    const JobExecutionId id = operator_->start(
        job(chunk("", 1000, "", "rows", "", R"(<properties><property name="max-rate" value="0.001"/></properties>)")),
        {});
    EXPECT_TRUE(reached_.wait());
    operator_->stop_step(id, "s");
    const auto ended = operator_->wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::completed);
    expect_cut(id, step(id).metrics.written);
}

TEST_F(StepStopping, InASplitTheOthersGoOn) {
    Gate other;
    script().on_batchlet = [&](StepContext&) {
        other.open();
        EXPECT_TRUE(asked_.wait());
        return std::string();
    };
    const std::string split =
        R"(<split id="both"><flow id="f">)" + chunk(R"(item-count="1")", 1'000'000'000) +
        R"(</flow><flow id="g"><step id="other"><batchlet ref="scripted"/></step></flow></split>)";
    script().on_read = [&](std::int64_t n) {
        if (n == 10) reached_.open();
    };
    const JobExecutionId id = operator_->start(job(split), {});
    EXPECT_TRUE(reached_.wait());
    EXPECT_TRUE(other.wait());
    ask_elsewhere(id);
    while (step(id).status == BatchStatus::started) std::this_thread::yield();
    EXPECT_EQ(step(id, "other").status, BatchStatus::started);
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    EXPECT_EQ(step(id, "other").exit_status, "COMPLETED");
}

TEST_F(StepStopping, PartitionsThatRunAreCutShortAndTheOthersAreNeverEntered) {
    const std::string partitioned =
        R"(<step id="s" next="then"><chunk item-count="3"><reader ref="numbers"><properties><property name="count" value="10"/></properties></reader>)"
        R"(<processor ref="process"/><writer ref="rows"/></chunk><partition><plan partitions="4" threads="1"/>)"
        R"(<collector ref="collector"/><analyzer ref="analyzer"/><reducer ref="reducer"/></partition></step>)";
    int reads = 0;
    script().on_read = [&](std::int64_t) {
        if (++reads != 16) return;  // the second partition is on its fifth item
        reached_.open();
        EXPECT_TRUE(asked_.wait());
    };
    const JobExecutionId id = operator_->start(job(partitioned + std::string(then)), {});
    EXPECT_TRUE(reached_.wait());
    ask_elsewhere(id);
    // Heard by whoever asks once a second, or at once.
    while (repository_->step_stops_asked({.execution = id}).empty()) std::this_thread::yield();
    operator_->stop_step(id, "s");
    EXPECT_EQ(end(id).status, BatchStatus::completed);
    std::vector<std::string> found;
    for (const PartitionExecution& p : repository_->partitions_of(step(id).id))
        found.push_back(fmt::format("{} {} {}", to_string(p.status), p.exit_status.value_or("-"), p.metrics.read));
    EXPECT_THAT(found, ElementsAre("COMPLETED COMPLETED 10", StartsWith("COMPLETED STEP_STOPPED"), "STOPPED cut 0",
                                   "STOPPED cut 0"));
    expect_cut(id, step(id).metrics.read);
    EXPECT_THAT(script().log, Contains("after COMMIT"));
    EXPECT_EQ(step(id, "then").status, BatchStatus::completed);
    EXPECT_THAT(written(), SizeIs(static_cast<std::size_t>(step(id).metrics.written)));
}

TEST_F(StepStopping, AnAdopterHonoursIt) {
    const JobDefinition definition = job(chunk_then(R"(item-count="3")", 10));
    ASSERT_TRUE(died(in_child([&] {
        script().on_process = [&](std::int64_t n) {
            if (n == 8) {
                ask_elsewhere(latest());
                die();
            }
            return true;
        };
        run(definition);
        return 0;
    })));
    const JobExecutionId id = latest();
    EXPECT_FALSE(cut(id).after);
    operator_->recover(id);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::completed);
    expect_cut(id, 6);
    EXPECT_EQ(written(), numbers(1, 6));
    EXPECT_EQ(step(id, "then").status, BatchStatus::completed);
}

TEST_F(StepStopping, AnAdopterRunsNoBatchletThatIsToStop) {
    const JobDefinition definition = job(R"(<step id="s"><batchlet ref="scripted"/></step>)");
    ASSERT_TRUE(died(in_child([&] {
        script().on_batchlet = [&](StepContext&) -> std::string { die(); };
        const JobExecutionId id = operator_->start(definition, {});
        operator_->wait(id);
        return 0;
    })));
    const JobExecutionId id = latest();
    const StepStopAnswer answer = operator_->stop_step(id, "s");
    EXPECT_EQ(answer.effect, Effect::requested);
    EXPECT_TRUE(answer.owner_lost);
    bool ran = false;
    script().on_batchlet = [&](StepContext&) {
        ran = true;
        return std::string();
    };
    operator_->recover(id);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::completed);
    EXPECT_FALSE(ran);
    expect_cut(id, 0);
}

}  // namespace
}  // namespace fermata::test
