// The front door: start, stop, abandon, and what can be asked.
#include "suite.hpp"

#include <algorithm>
#include <set>

namespace fermata::tck {
namespace {

class JobOperatorTests : public Suite {
protected:
    static constexpr const char* chunk_job = "chunksize5commitinterval5";
    static Parameters first() {
        return {{"execution.number", "1"},
                {"readrecord.fail", "12"},
                {"app.arraysize", "30"},
                {"app.writepoints", "0,5,10,15,20,25,30"},
                {"app.next.writepoints", "10,15,20,25,30"}};
    }
    static Parameters second() {
        Parameters parameters = first();
        parameters["execution.number"] = "2";
        parameters["readrecord.fail"] = "-1";
        return parameters;
    }
    static Parameters without_failure() {
        Parameters parameters = first();
        parameters["readrecord.fail"] = "-1";
        return parameters;
    }
    /// FAILED, then COMPLETED.
    std::pair<JobExecution, JobExecution> fail_then_complete() {
        const JobExecution failed = run(chunk_job, first());
        expect_status(failed, BatchStatus::failed);
        const JobExecution completed = restart(failed, second());
        expect_status(completed, BatchStatus::completed);
        return {failed, completed};
    }
    std::int64_t count() {
        try {
            return op().job_instance_count(chunk_job);
        } catch (const NoSuchJobException&) {
            return 0;
        }
    }
};

TEST_F(JobOperatorTests, testJobOperatorStart) { expect_status(run("job_batchlet_1step"), BatchStatus::completed); }

TEST_F(JobOperatorTests, testJobOperatorRestart) {
    const auto [failed, completed] = fail_then_complete();
    EXPECT_EQ(completed.instance_id, failed.instance_id);
}

TEST_F(JobOperatorTests, testJobOperatorRestartAlreadyCompleteException) {
    const auto [failed, completed] = fail_then_complete();
    EXPECT_THROW(restart(completed, second()), JobExecutionAlreadyCompleteException);
}

TEST_F(JobOperatorTests, testInvokeJobWithUserStop) {
    const JobExecutionId id = start(load("job_batchlet_longrunning"), {{"run.indefinitely", "true"}});
    stage().running.wait_for_arrivals(1);
    op().stop(id);
    expect_status(end_of(id), BatchStatus::stopped);
}

TEST_F(JobOperatorTests, testJobOperatorGetStepExecutions) {
    const JobExecution execution = run("job_batchlet_1step");
    const auto steps = op().step_executions(execution.id);
    ASSERT_EQ(steps.size(), 1U);
    EXPECT_EQ(steps.front().status, BatchStatus::completed);
}

TEST_F(JobOperatorTests, testJobOpGetJobNames) {
    const JobDefinition job = load("job_unique_get_job_names");
    const auto known = [&] {
        const auto names = op().job_names();
        return std::ranges::count(names, "job_unique_get_job_names");
    };
    EXPECT_EQ(known(), 0);
    const JobExecutionId id = start(job);
    EXPECT_EQ(known(), 1);
    end_of(id);
}

TEST_F(JobOperatorTests, testAbandoned) {
    const JobExecution execution = run("job_batchlet_4steps");
    expect_status(execution, BatchStatus::completed);
    op().abandon(execution.id);
    expect_status(op().job_execution(execution.id), BatchStatus::abandoned);
}

TEST_F(JobOperatorTests, testJobOpgetJobInstanceCount) {
    run(chunk_job, without_failure());
    const std::int64_t before = count();
    run(chunk_job, without_failure());
    EXPECT_EQ(count(), before + 1);
}

TEST_F(JobOperatorTests, testJobOpgetJobInstanceCountException) {
    run(chunk_job, without_failure());
    EXPECT_THROW((void)op().job_instance_count("NoSuchJob"), NoSuchJobException);
}

TEST_F(JobOperatorTests, testJobOpgetJobInstances) {
    const JobDefinition job = load(chunk_job);
    const std::int64_t before = count();
    std::vector<JobExecutionId> ids;
    for (int i = 0; i < 10; ++i) ids.push_back(start(job, without_failure()));
    EXPECT_EQ(count(), before + 10);
    EXPECT_EQ(op().job_instances(chunk_job, 0, 10).size(), 10U);
    for (const JobExecutionId id : ids) expect_status(end_of(id), BatchStatus::completed);
}

TEST_F(JobOperatorTests, testJobOpgetJobInstancesException) {
    run(chunk_job, without_failure());
    EXPECT_THROW((void)op().job_instances("NoSuchJob", 0, 12), NoSuchJobException);
}

TEST_F(JobOperatorTests, testJobOperatorGetParameters) {
    const auto [failed, completed] = fail_then_complete();
    EXPECT_EQ(op().parameters(failed.id), first());
    EXPECT_EQ(op().job_execution(failed.id).parameters, first());
    EXPECT_EQ(op().parameters(completed.id), second());
    EXPECT_EQ(op().job_execution(completed.id).parameters, second());
}

TEST_F(JobOperatorTests, testJobOperatorGetJobInstances) {
    std::vector<JobInstanceId> made;
    for (int i = 0; i < 4; ++i) made.push_back(run(chunk_job, without_failure()).instance_id);
    const auto newest = op().job_instances(chunk_job, 0, 3);
    const auto older = op().job_instances(chunk_job, 1, 3);
    ASSERT_EQ(newest.size(), 3U);
    ASSERT_EQ(older.size(), 3U);
    EXPECT_EQ(newest[0].id, made[3]);
    EXPECT_EQ(newest[1].id, older[0].id);
    EXPECT_EQ(newest[2].id, older[1].id);
    EXPECT_EQ(older[2].id, made[0]);
}

TEST_F(JobOperatorTests, testJobOperatorGetRunningJobExecutions) {
    Gate in_after_step;
    stage().after_step = &in_after_step;
    const JobExecutionId id = start(load("job_batchlet_step_listener"));
    in_after_step.wait_for_arrivals(1);
    EXPECT_EQ(op().running_executions("job_batchlet_step_listener"), std::vector{id});
    in_after_step.open();
    expect_status(end_of(id), BatchStatus::completed);
}

TEST_F(JobOperatorTests, testJobOperatorGetRunningJobInstancesException) {
    Gate in_after_step;
    stage().after_step = &in_after_step;
    const JobExecutionId id = start(load("job_batchlet_step_listener"));
    in_after_step.wait_for_arrivals(1);
    EXPECT_THROW((void)op().running_executions("NoSuchJob"), NoSuchJobException);
    in_after_step.open();
    end_of(id);
}

TEST_F(JobOperatorTests, testJobOperatorGetJobExecution) {
    const auto [failed, completed] = fail_then_complete();
    EXPECT_EQ(op().job_execution(failed.id).id, failed.id);
    EXPECT_EQ(op().job_execution(completed.id).id, completed.id);
}

TEST_F(JobOperatorTests, testJobOperatorGetJobExecutions) {
    const auto [failed, completed] = fail_then_complete();
    std::set<JobExecutionId> ids;
    for (const JobExecution& execution : op().job_executions(failed.instance_id)) {
        EXPECT_EQ(execution.job_name, "chunksize5commitinterval5");
        ids.insert(execution.id);
    }
    EXPECT_EQ(ids, (std::set{failed.id, completed.id}));
}

}  // namespace
}  // namespace fermata::tck
