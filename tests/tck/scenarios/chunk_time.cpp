// Chunks that end by time.
#include "chunk_tests.hpp"

namespace fermata::tck {

JobDefinition ChunkTests::load_with_short_limit() {
    note("time limit and pace are a tenth");
    return load("chunkTimeBasedCheckpoint",
                {{R"(time-limit="10")", R"(time-limit="1")"}, {R"(value="10")", R"(value="1")"}});
}

Parameters ChunkTests::slow_reading(const std::string& fails_at, const std::string& execution) {
    return {{"execution.number", execution},
            {"readrecord.fail", fails_at},
            {"app.arraysize", "30"},
            {"app.sleeptime", "50"}};
}

namespace {

TEST_F(ChunkTests, testChunkTimeBasedDefaultCheckpoint) {
    const JobExecution execution = run("chunkTimeBasedDefaultCheckpoint", slow_reading("-1"));
    expect_end(execution, BatchStatus::completed, "TRUE: 0");
    EXPECT_EQ(only_step_of(execution).metrics.commits, 1);
}

TEST_F(ChunkTests, testChunkTimeBased10Seconds) {
    const JobExecution execution = run(load_with_short_limit(), slow_reading("-1"));
    expect_end(execution, BatchStatus::completed, "TRUE: 1");
    EXPECT_EQ(only_step_of(execution).metrics.written, 30);
}

TEST_F(ChunkTests, testChunkRestartTimeBasedCheckpoint) {
    const JobExecution first = run(load_with_short_limit(), slow_reading("2"));
    expect_end(first, BatchStatus::failed, "FALSE: 0");
    const JobExecution second = restart(first, slow_reading("-1", "2"));
    expect_end(second, BatchStatus::completed, "TRUE: 1");
    EXPECT_EQ(second.instance_id, first.instance_id);
}

TEST_F(ChunkTests, testChunkRestartTimeBasedDefaultCheckpoint) {
    const JobExecution first = run("chunkTimeBasedDefaultCheckpoint", slow_reading("2"));
    expect_end(first, BatchStatus::failed, "TRUE: 0");
    const JobExecution second = restart(first, slow_reading("-1", "2"));
    expect_end(second, BatchStatus::completed, "TRUE: 0");
    EXPECT_EQ(second.instance_id, first.instance_id);
}

}  // namespace
}  // namespace fermata::tck
