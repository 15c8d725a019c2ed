// Partitioned steps.
#include "suite.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

class ParallelExecutionTests : public Suite {
protected:
    static Parameters plan(const std::string& partitions, const std::string& failing, const std::string& override_it) {
        return {{"numPartitionsProp", partitions}, {"failThisPartition", failing}, {"partitionsOverride", override_it}};
    }
    void expect_step(const JobExecution& execution, BatchStatus status, const std::string& exit_status) {
        expect_status(execution, status);
        EXPECT_EQ(only_step_of(execution).exit_status, exit_status);
    }
    /// Three partitions, of which the first fails.
    JobExecution run_failing() {
        const JobExecution failed = run("job_partitioned_artifacts", plan("3", "0", "false"));
        expect_step(failed, BatchStatus::failed, "nullBeginCACACARollbackAfter");
        return failed;
    }
    JobExecution stop_all_four() {
        const JobExecutionId id = start(load("job_batchlet_longrunning_partitioned"), {{"run.indefinitely", "true"}});
        stage().running.wait_for_arrivals(4);
        op().stop(id);
        const JobExecution stopped = end_of(id);
        expect_status(stopped, BatchStatus::stopped);
        return stopped;
    }
};

TEST_F(ParallelExecutionTests, testInvokeJobWithOnePartitionedStep) {
    expect_status(run("job_partitioned_1step"), BatchStatus::completed);
}
TEST_F(ParallelExecutionTests, testInvokeJobWithOnePartitionedStepExitStatus) {
    const JobExecution execution = run("job_partitioned_1step_exitStatusTest");
    expect_end(execution, BatchStatus::completed, "JOB EXIT STATUS: 10");
    EXPECT_EQ(only_step_of(execution).exit_status, "STEP EXIT STATUS: 10");
}
TEST_F(ParallelExecutionTests, testStopRunningPartitionedStep) { stop_all_four(); }
TEST_F(ParallelExecutionTests, testStopRestartRunningPartitionedStep) {
    const JobExecution completed = restart(stop_all_four(), {{"run.indefinitely", "false"}});
    expect_status(completed, BatchStatus::completed);
}
TEST_F(ParallelExecutionTests, testPartitionedPlanCollectorAnalyzerReducerComplete) {
    expect_step(run("job_partitioned_artifacts", plan("3", "", "false")), BatchStatus::completed,
                "nullBeginCACACABeforeAfter");
}
TEST_F(ParallelExecutionTests, testZeroBasedPartitionedPlanCollectorAnalyzerReducerRollback) { run_failing(); }
TEST_F(ParallelExecutionTests, testPartitionedMapperOverrideFalseOnRestart) {
    expect_step(restart(run_failing(), plan("4", "", "false")), BatchStatus::completed, "nullBeginCABeforeAfter");
}
TEST_F(ParallelExecutionTests, testPartitionedMapperOverrideTrueDiffPartitionNumOnRestart) {
    expect_step(restart(run_failing(), plan("4", "0", "true")), BatchStatus::failed, "nullBeginCACACACARollbackAfter");
}
TEST_F(ParallelExecutionTests, testPartitionedMapperOverrideTrueSamePartitionNumOnRestart) {
    expect_step(restart(run_failing(), plan("3", "0", "true")), BatchStatus::failed, "nullBeginCACACARollbackAfter");
}

// Deleted upstream, its job XML is still there.
TEST_F(ParallelExecutionTests, testPartitionedStepPersistentUserData) {
    const JobExecution failed =
        run("partitioned_step_persistent_user_data", {{"execution.number", "1"},
                                                      {"number.of.items.to.be.read", "10"},
                                                      {"throw.reader.exception.for.these.items", "5"}});
    expect_status(failed, BatchStatus::failed);
    EXPECT_EQ(only_step_of(failed).user_data, "of the step;");
    const JobExecution completed = restart(failed, {{"execution.number", "2"}, {"number.of.items.to.be.read", "10"}});
    expect_status(completed, BatchStatus::completed);
    EXPECT_EQ(only_step_of(completed).user_data, "of the step;of the step;");
}

class ParallelContextPropagationTests : public Suite {};

TEST_F(ParallelContextPropagationTests, testPartitionContextPropagation) {
    const JobExecution execution = run("partitionCtxPropagation");
    const std::string each =
        fmt::format("{}:{}:{}:topLevelJobProperty.value:topLevelStepProperty.value;", execution.id.value(),
                    execution.instance_id.value(), only_step_of(execution).id.value());
    expect_end(execution, BatchStatus::completed, each + each + each);
}

}  // namespace
}  // namespace fermata::tck
