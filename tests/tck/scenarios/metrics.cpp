// Metrics, in StepContext at afterStep and in StepExecution. Here each is a field, so it is always present.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class MetricsTests : public Suite {
protected:
    /// The listener fails the step if the metric is another.
    StepExecution run_counting(const std::string& name, const std::string& metric, const std::string& count,
                               Parameters parameters) {
        parameters["execution.number"] = "1";
        parameters["app.arraysize"] = "30";
        parameters["ReadProcessWrite"] = metric;
        parameters["numberOfSkips"] = count;
        const JobExecution execution = run(name, parameters);
        expect_end(execution, BatchStatus::completed, "GOOD");
        return only_step_of(execution);
    }
    Metrics run_nine(const std::string& name) {
        const JobExecution execution = run(name);
        expect_status(execution, BatchStatus::completed);
        return only_step_of(execution).metrics;
    }
};

TEST_F(MetricsTests, testMetricsInApp) {
    const StepExecution step = run_counting("testChunkMetrics", "READ_COUNT", "30",
                                            {{"readrecord.fail", "-1"},
                                             {"app.writepoints", "0,7,14,21,28,30"},
                                             {"app.chunksize", "7"},
                                             {"app.commitinterval", "10"}});
    EXPECT_EQ(step.metrics.read, 30);
}

TEST_F(MetricsTests, testMetricsSkipRead) {
    EXPECT_EQ(run_counting("testMetricsSkipCount", "READ", "4", {{"readrecord.fail", "1,3,4,12"}}).metrics.read_skips,
              4);
}

TEST_F(MetricsTests, testMetricsSkipProcess) {
    EXPECT_EQ(
        run_counting("testMetricsSkipCount", "PROCESS", "2", {{"processrecord.fail", "7,13"}}).metrics.process_skips,
        2);
}

TEST_F(MetricsTests, testMetricsSkipWrite) {
    differs(
        "write skips are counted in items, so that read = written + filtered + skips: three lists of three are nine");
    EXPECT_EQ(
        run_counting("testMetricsSkipWriteCount", "WRITE", "9", {{"writerecord.fail", "1,3,4"}}).metrics.write_skips,
        9);
}

TEST_F(MetricsTests, testReadMetric) { EXPECT_EQ(run_nine("testMetricCount").read, 9); }
TEST_F(MetricsTests, testWriteMetric) { EXPECT_EQ(run_nine("testMetricCount").written, 9); }
TEST_F(MetricsTests, testMetricsCommitCount) { EXPECT_EQ(run_nine("testMetricsCommitCount").commits, 4); }

TEST_F(MetricsTests, testMetricsStepTimestamps) {
    const StepExecution step = only_step_of(run("testMetricsCommitCount"));
    ASSERT_TRUE(step.started && step.ended);
    EXPECT_LE(*step.started, *step.ended);
}

TEST_F(MetricsTests, testMetricsJobExecutionTimestamps) {
    const JobExecution execution = run("testMetricsCommitCount");
    ASSERT_TRUE(execution.started && execution.ended);
    EXPECT_LE(execution.created, *execution.started);
    EXPECT_LE(*execution.started, *execution.ended);
    EXPECT_LE(*execution.started, execution.updated);
}

}  // namespace
}  // namespace fermata::tck
