// What a StepExecution says.
#include "suite.hpp"

#include <set>

namespace fermata::tck {
namespace {

class StepExecutionTests : public Suite {};

TEST_F(StepExecutionTests, testOneStepExecutionStatus) {
    const JobExecution execution = run("job_batchlet_1step");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(only_step_of(execution).status, BatchStatus::completed);
}

TEST_F(StepExecutionTests, testFourStepExecutionStatus) {
    const JobExecution execution = run("job_batchlet_4steps");
    std::set<StepExecutionId> ids;
    for (const StepExecution& step : steps_of(execution)) {
        EXPECT_EQ(step.status, BatchStatus::completed);
        ids.insert(step.id);
    }
    EXPECT_EQ(ids.size(), 4U);
    expect_status(execution, BatchStatus::completed);
}

TEST_F(StepExecutionTests, testFailedStepExecutionStatus) {
    const JobExecution execution = run("job_batchlet_failElement");
    expect_end(execution, BatchStatus::failed, "TEST_FAIL");
    EXPECT_EQ(steps_of(execution).size(), 1U);
}

TEST_F(StepExecutionTests, testStoppedStepExecutionStatus) {
    const JobExecution execution = run("job_batchlet_stopElement");
    expect_status(execution, BatchStatus::stopped);
    EXPECT_EQ(only_step_of(execution).status, BatchStatus::completed);
}

TEST_F(StepExecutionTests, testStepExecutionExitStatus) {
    const JobExecution execution = run("job_batchlet_failElement");
    expect_end(execution, BatchStatus::failed, "TEST_FAIL");
    const StepExecution step = only_step_of(execution);
    EXPECT_EQ(step.status, BatchStatus::completed);
    EXPECT_EQ(step.exit_status, "VERY GOOD INVOCATION");
}

TEST_F(StepExecutionTests, testStepInFlowStepExecution) {
    const JobExecution execution = run("flow_transition_to_step");
    expect_end(execution, BatchStatus::completed, "flow1step1, flow1step2, flow1step3, step1");
    EXPECT_EQ(steps_of(execution).size(), 4U);
}

TEST_F(StepExecutionTests, testStepInFlowInSplitStepExecution) {
    const JobExecution execution = run("split_batchlet_4steps");
    expect_end(execution, BatchStatus::completed, "COMPLETED");
    EXPECT_EQ(steps_of(execution).size(), 4U);
}

}  // namespace
}  // namespace fermata::tck
