// Restart after a failure and after a stop.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class JobAttributeRestartTests : public Suite {};

TEST_F(JobAttributeRestartTests, testJobAttributeRestartableTrue) {
    const JobExecution first = run("job_attributes_restart_true_test", {{"execution.number", "1"}});
    expect_status(first, BatchStatus::failed);
    const JobExecution second = restart(first, {{"execution.number", "2"}});
    expect_status(second, BatchStatus::completed);
    EXPECT_EQ(second.instance_id, first.instance_id);
}

class RestartNotMostRecentTests : public Suite {};

TEST_F(RestartNotMostRecentTests, testRestartNotMostRecentException) {
    const JobExecution first = run("job_attributes_restart_true_test", {{"execution.number", "1"}});
    expect_status(first, BatchStatus::failed);
    expect_status(restart(first, {{"execution.number", "2"}}), BatchStatus::completed);
    EXPECT_THROW(restart(first, {{"execution.number", "2"}}), JobExecutionNotMostRecentException);
}

class StopOrFailOnExitStatusWithRestartTests : public Suite {};

TEST_F(StopOrFailOnExitStatusWithRestartTests, testInvokeJobWithUserStopAndRestart) {
    const JobExecutionId id = start(load("job_batchlet_longrunning"), {{"run.indefinitely", "true"}});
    stage().running.wait_for_arrivals(1);
    op().stop(id);
    const JobExecution stopped = end_of(id);
    expect_end(stopped, BatchStatus::stopped, "BATCHLET STOPPED");
    EXPECT_EQ(only_step_of(stopped).exit_status, "STOPPED ON REQUEST");

    const JobExecution completed = restart(stopped, {{"run.indefinitely", "false"}});
    expect_end(completed, BatchStatus::completed, "GOOD.STEP.GOOD.STEP");
    EXPECT_EQ(steps_of(completed).size(), 2U);
}

TEST_F(StopOrFailOnExitStatusWithRestartTests, testInvokeJobWithUncaughtExceptionFailAndRestart) {
    const JobExecution failed = run("job_batchlet_longrunning", {{"throw.exc.on.number.3", "true"}});
    expect_end(failed, BatchStatus::failed, "FAILED");
    const JobExecution completed = restart(failed, {{"throw.exc.on.number.3", "false"}});
    expect_end(completed, BatchStatus::completed, "GOOD.STEP.GOOD.STEP");
}

}  // namespace
}  // namespace fermata::tck
