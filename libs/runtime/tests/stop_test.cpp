// Stopping (Jakarta Batch §11.13) from this process and, as a row, from another.
#include "gate.hpp"
#include "harness.hpp"

#include <thread>

namespace fermata::test {
namespace {

class Stop : public Harness {
protected:
    /// Asks as another process would: through a repository of its own.
    void stop_from_elsewhere(JobExecutionId id, bool now = false) {
        Repository other(drivers_.open(path("repo.db")), folder_ / "repo.db.d", false);
        EXPECT_EQ(other.request_stop(id, {.now = now, .actor = "somebody else"}).effect, StopAnswer::Effect::requested);
    }
};

TEST_F(Stop, AChunkStepWritesAndCommitsWhatItHas) {  // §11.13
    Gate reached;
    Gate asked;
    script().on_read = [&](std::int64_t n) {
        if (n != 5 || script().attempts[5]++ > 0) return;
        reached.open();
        EXPECT_TRUE(asked.wait());
    };
    const JobExecutionId id = operator_->start(job(chunk(R"(item-count="100")", 10)), {});
    ASSERT_TRUE(reached.wait());
    operator_->stop(id);
    asked.open();
    const JobExecution stopped = *operator_->wait(id);
    EXPECT_EQ(stopped.status, BatchStatus::stopped);
    EXPECT_EQ(stopped.exit_status, "STOPPED");
    EXPECT_EQ(step(id).status, BatchStatus::stopped);
    EXPECT_EQ(step(id).metrics, (Metrics{.read = 5, .written = 5, .commits = 1}));
    EXPECT_EQ(written(), numbers(1, 5));
    EXPECT_EQ(restart(id).status, BatchStatus::completed);
    EXPECT_EQ(written(), numbers(1, 10));
}

TEST_F(Stop, ARequestFromAnotherProcessReachesATightLoopOfCommits) {
    Gate reached;
    script().on_read = [&](std::int64_t n) {
        if (n == 10) reached.open();
    };
    const JobExecutionId id = operator_->start(job(chunk(R"(item-count="1")", 1'000'000'000)), {});
    ASSERT_TRUE(reached.wait());
    stop_from_elsewhere(id);
    const auto ended = operator_->wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::stopped);
    EXPECT_EQ(written(), numbers(1, step(id).metrics.written));
}

TEST_F(Stop, ABatchletGetsStopWhileItProcesses) {  // §11.13
    Gate running;
    Gate told;
    script().on_batchlet = [&](StepContext&) {
        running.open();
        EXPECT_TRUE(told.wait());
        return std::string("HALF");
    };
    script().on_batchlet_stop = [&] { told.open(); };
    const JobExecutionId id = operator_->start(
        job(R"(<step id="a" next="b"><batchlet ref="scripted"/></step><step id="b"><batchlet ref="scripted"/></step>)"),
        {});
    ASSERT_TRUE(running.wait());
    stop_from_elsewhere(id);
    const JobExecution stopped = *operator_->wait(id);
    EXPECT_EQ(stopped.status, BatchStatus::stopped);
    EXPECT_EQ(step(id, "a").status, BatchStatus::stopped);
    EXPECT_EQ(step(id, "a").exit_status, "HALF");
    EXPECT_EQ(repository_->steps_of(id).size(), 1U);
}

TEST_F(Stop, AStepThatStopsItsOwnExecutionIsStoppedHoweverEarlyItAsks) {  // §11.13
    script().on_batchlet = [this](StepContext& step) {
        operator_->stop(step.job->execution_id);
        return std::string();
    };
    const JobDefinition definition =
        job(R"(<step id="a" next="b"><batchlet ref="scripted"/></step><step id="b"><batchlet ref="scripted"/></step>)");
    for (int i = 0; i < 100; ++i) {
        const JobExecution stopped = run(definition);
        ASSERT_EQ(stopped.status, BatchStatus::stopped);
        ASSERT_EQ(repository_->steps_of(stopped.id).size(), 1U);
    }
}

TEST_F(Stop, ABatchletThatThrowsAfterTheStopIsFailed) {  // §11.13
    Gate running;
    Gate told;
    script().on_batchlet = [&](StepContext&) -> std::string {
        running.open();
        EXPECT_TRUE(told.wait());
        throw Bad("could not end well");
    };
    script().on_batchlet_stop = [&] { told.open(); };
    const JobExecutionId id = operator_->start(job(R"(<step id="a"><batchlet ref="scripted"/></step>)"), {});
    ASSERT_TRUE(running.wait());
    operator_->stop(id);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::failed);
}

TEST_F(Stop, AStopThatThrowsIsToldInTheLogAndChangesNothing) {
    const std::vector<std::pair<std::string, std::function<void()>>> throws{
        {"stop is broken", [] { throw Bad("stop is broken"); }}, {"int 42", [] { throw 42; }}};
    for (const auto& [told_of, act] : throws) {
        Gate running;
        Gate told;
        script().on_batchlet = [&](StepContext&) {
            running.open();
            EXPECT_TRUE(told.wait());
            return std::string();
        };
        script().on_batchlet_stop = [&] {
            told.open();
            act();
        };
        const JobExecutionId id = operator_->start(job(R"(<step id="a"><batchlet ref="scripted"/></step>)"), {});
        ASSERT_TRUE(running.wait());
        operator_->stop(id);
        EXPECT_EQ(operator_->wait(id)->status, BatchStatus::stopped);
        const std::string log = read_file(folder_ / "repo.db.d" / "logs" / std::to_string(id.value()) / "a.log");
        EXPECT_NE(log.find(told_of), std::string::npos) << log;
    }
}

TEST_F(Stop, MaxRateNeverHoldsUpAStop) {
    Gate reached;
    script().on_read = [&](std::int64_t n) {
        if (n == 1) reached.open();
    };
    const JobExecutionId id = operator_->start(
        job(chunk("", 1000, "", "rows", "", R"(<properties><property name="max-rate" value="0.001"/></properties>)")),
        {});
    ASSERT_TRUE(reached.wait());
    operator_->stop(id);
    const auto ended = operator_->wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::stopped);
    EXPECT_EQ(written(), numbers(1, step(id).metrics.written));
}

TEST_F(Stop, TheDestructorStopsWhatRuns) {
    Gate reached;
    script().on_read = [&](std::int64_t n) {
        if (n == 10) reached.open();
    };
    const JobExecutionId id = operator_->start(job(chunk(R"(item-count="5")", 1'000'000'000)), {});
    ASSERT_TRUE(reached.wait());
    reopen();
    EXPECT_EQ(operator_->job_execution(id).status, BatchStatus::stopped);
}

}  // namespace
}  // namespace fermata::test
