// What contexts say, and which listener is called for what.
#include "suite.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

class ContextAndListenerTests : public Suite {};

TEST_F(ContextAndListenerTests, testExamineJobContextInArtifact) {
    const JobExecution execution = run("JobContextTestBatchlet");
    EXPECT_EQ(execution.job_name, "job1");
    expect_end(execution, BatchStatus::completed,
               fmt::format("JobName={};JobInstanceId={};JobExecutionId={}", execution.job_name,
                           op().job_instance(execution.id).id.value(), execution.id.value()));
}

TEST_F(ContextAndListenerTests, testExamineStepContextInArtifact) {
    const JobExecution execution = run("StepContextTestBatchlet");
    const StepExecution step = only_step_of(execution);
    expect_end(execution, BatchStatus::completed,
               fmt::format("StepName={};StepExecutionId={}", step.name, step.id.value()));
}

TEST_F(ContextAndListenerTests, testOneArtifactIsJobAndStepListener) {
    const std::string step = "BeforeStepUnusedExitStatusForPartitionsAfterStep";
    expect_end(run("oneArtifactIsJobAndStepListener"), BatchStatus::completed,
               "nullBeforeJob" + step + step + "AfterJob");
}

TEST_F(ContextAndListenerTests, testgetException) {
    expect_end(run("job_chunk_getException"), BatchStatus::failed, "the exception of the reader");
}

TEST_F(ContextAndListenerTests, testJobContextIsUniqueForMainThreadAndPartitions) {
    expect_end(run("job_partitioned_1step"), BatchStatus::completed, "COMPLETED");
}

TEST_F(ContextAndListenerTests, testStepContextIsUniqueForMainThreadAndPartitions) {
    const JobExecution execution = run("job_partitioned_1step");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(only_step_of(execution).exit_status, "COMPLETED");
}

class ContextsGetIdTests : public Suite {};

TEST_F(ContextsGetIdTests, testJobContextGetId) {
    expect_end(run("contexts_getid_jobcontext"), BatchStatus::completed, "job1");
}
TEST_F(ContextsGetIdTests, testStepContextGetId) {
    expect_end(run("contexts_getid_stepcontext"), BatchStatus::completed, "step1");
}

class ExecuteTests : public Suite {};

TEST_F(ExecuteTests, testMyStepContextBatchlet) {
    const JobExecution execution = run("test_batchlet_stepCtx");
    expect_end(execution, BatchStatus::completed, "JOB: VERY GOOD INVOCATION");
    EXPECT_EQ(only_step_of(execution).exit_status, "VERY GOOD INVOCATION");
    EXPECT_EQ(only_step_of(execution).user_data, "persistent");
}

class JobLevelPropertiesTests : public Suite {};

TEST_F(JobLevelPropertiesTests, testJobLevelPropertiesCount) {
    expect_end(run("job_level_properties_count", {{"a.job.parameter", "is no property"}}), BatchStatus::completed,
               "foo=bar,me=too,super=hero");
}
TEST_F(JobLevelPropertiesTests, testJobLevelPropertiesPropertyValue) {
    expect_end(run("job_level_properties_value"), BatchStatus::completed, "bar");
}
TEST_F(JobLevelPropertiesTests, testJobLevelPropertiesShouldNotBeAvailableThroughStepContext) {
    expect_end(run("job_level_properties_scope"), BatchStatus::completed, "COMPLETED");
}

class StepLevelPropertiesTests : public Suite {};

TEST_F(StepLevelPropertiesTests, testStepLevelPropertiesCount) {
    expect_end(run("step_level_properties_count"), BatchStatus::completed, "foo=bar,me=too,super=hero");
}
TEST_F(StepLevelPropertiesTests, testStepLevelPropertiesPropertyValue) {
    expect_end(run("step_level_properties_value"), BatchStatus::completed, "bar");
}

}  // namespace
}  // namespace fermata::tck
