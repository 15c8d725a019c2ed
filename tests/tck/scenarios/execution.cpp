// Jobs of steps, and what leads from one to the next.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class ExecutionTests : public Suite {
protected:
    /// Names of the steps in order of their start.
    std::vector<std::string> entered(const JobExecution& execution) {
        auto steps = steps_of(execution);
        std::ranges::sort(steps, {}, [](const StepExecution& step) { return step.id; });
        std::vector<std::string> names;
        for (const StepExecution& step : steps) names.push_back(step.name);
        return names;
    }
};
using Names = std::vector<std::string>;

TEST_F(ExecutionTests, testInvokeJobWithOneBatchletStep) {
    expect_end(run("job_batchlet_1step"), BatchStatus::completed, "STEP 1 COMPLETED");
}
TEST_F(ExecutionTests, testInvokeJobWithTwoStepSequenceOfBatchlets) {
    const JobExecution execution = run("job_batchlet_2steps");
    expect_end(execution, BatchStatus::completed, "STEP 2 COMPLETED");
    EXPECT_EQ(entered(execution), (Names{"step1", "step2"}));
}
TEST_F(ExecutionTests, testInvokeJobWithFourStepSequenceOfBatchlets) {
    const JobExecution execution = run("job_batchlet_4steps");
    expect_end(execution, BatchStatus::completed, "STEP 3 COMPLETED");
    EXPECT_EQ(entered(execution), (Names{"step1", "step2", "step4", "step3"}));
}
TEST_F(ExecutionTests, testInvokeJobWithNextElement) {
    const JobExecution execution = run("job_batchlet_nextElement");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(entered(execution), Names{"step1"});
}
TEST_F(ExecutionTests, testInvokeJobWithFailElement) {
    expect_end(run("job_batchlet_failElement"), BatchStatus::failed, "TEST_FAIL");
}
TEST_F(ExecutionTests, testInvokeJobWithStopElement) {
    expect_end(run("job_batchlet_stopElement"), BatchStatus::stopped, "TEST_STOPPED");
}
TEST_F(ExecutionTests, testInvokeJobWithEndElement) {
    expect_end(run("job_batchlet_endElement"), BatchStatus::completed, "TEST_ENDED");
}
TEST_F(ExecutionTests, testInvokeJobSimpleChunk) {
    const JobExecution execution = run("job_chunk_simple");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(entered(execution), (Names{"step1", "step2"}));
}
TEST_F(ExecutionTests, testInvokeJobChunkWithFullAttributes) {
    expect_end(run("job_chunk_full_attributes"), BatchStatus::completed, "COMPLETED");
}
TEST_F(ExecutionTests, testInvokeJobUsingTCCL) {
    adapted("no class loader: the class name is a registered name");
    expect_status(run("test_artifact_load_classloader"), BatchStatus::completed);
}
TEST_F(ExecutionTests, testCheckpoint) {
    const JobExecution execution = run("job_chunk_checkpoint");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(steps_of(execution).size(), 2U);
}

TEST_F(ExecutionTests, testSimpleFlow) {
    const JobExecution execution = run("job_flow_batchlet_4steps");
    expect_status(execution, BatchStatus::completed);
    EXPECT_EQ(entered(execution), (Names{"step1", "step2", "step3", "step4"}));
}

// Deleted upstream, its job XML is still there.
TEST_F(ExecutionTests, testJobWithNoMatchingTransitionElement) {
    const JobExecution execution = run("job_batchlet_no_matching_element");
    expect_end(execution, BatchStatus::completed, "nullUnusedExitStatusForPartitions");
    EXPECT_EQ(entered(execution), Names{"step1"});
}

}  // namespace
}  // namespace fermata::tck
