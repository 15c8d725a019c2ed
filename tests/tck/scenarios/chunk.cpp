// Where chunks end, checkpoints, restarts, listeners.
#include "chunk_tests.hpp"

namespace fermata::tck {

std::string ChunkTests::points(int from, int step) {
    std::string list;
    for (int at = from; at < 30; at += step) list += std::to_string(at) + ",";
    return list + "30";
}

void ChunkTests::fail_then_restart(const std::string& name, int item_count) {
    const int committed = 12 / item_count * item_count;
    const JobExecution first = run(name, {{"execution.number", "1"},
                                          {"readrecord.fail", "12"},
                                          {"app.arraysize", "30"},
                                          {"app.writepoints", points(0, item_count)},
                                          {"app.next.writepoints", points(committed, item_count)}});
    expect_end(first, BatchStatus::failed, "FAILED");
    EXPECT_EQ(only_step_of(first).metrics.written, committed);

    const JobExecution second = restart(first, {{"execution.number", "2"},
                                                {"readrecord.fail", "-1"},
                                                {"app.arraysize", "30"},
                                                {"app.checkpoint.position", std::to_string(committed)},
                                                {"app.writepoints", points(0, item_count)},
                                                {"app.next.writepoints", points(committed, item_count)}});
    expect_end(second, BatchStatus::completed, "COMPLETED");
    EXPECT_EQ(second.instance_id, first.instance_id);
    EXPECT_EQ(only_step_of(second).name, "step1");
    EXPECT_EQ(only_step_of(second).metrics.written, 30 - committed);
}

namespace {

const Parameters thirty = {{"execution.number", "1"}, {"readrecord.fail", "-1"}, {"app.arraysize", "30"}};

TEST_F(ChunkTests, testChunkNoProcessorDefined) {
    expect_end(run("chunkNoProcessorDefined", thirty), BatchStatus::completed, "buffer size = 10");
}

TEST_F(ChunkTests, testChunkDefaultItemCount) {
    expect_end(run("chunksizeDEFAULTcommitIntervalDEFAULT", thirty), BatchStatus::completed, "buffer size = 10");
}

TEST_F(ChunkTests, testChunkNullCheckpointInfo) {
    expect_end(run("nullChkPtInfo"), BatchStatus::completed, "null...reader opened at null...writer opened at null");
}

TEST_F(ChunkTests, testChunkOnErrorListener) {
    expect_end(run("chunkListenerTest", {{"execution.number", "1"},
                                         {"readrecord.fail", "12"},
                                         {"app.arraysize", "30"},
                                         {"app.writepoints", points(0, 5)},
                                         {"app.next.writepoints", points(10, 5)}}),
               BatchStatus::failed, "Chunk onError invoked");
}

TEST_F(ChunkTests, testChunkRestartItemCount7) { fail_then_restart("chunkStopOnEndOn", 7); }
TEST_F(ChunkTests, testChunkRestartItemCount10) { fail_then_restart("chunkrestartCheckpt10", 10); }
TEST_F(ChunkTests, testChunkRestartChunk5) { fail_then_restart("chunksize5commitinterval3", 5); }

TEST_F(ChunkTests, testUserDataIsPersistedAfterCheckpoint) {
    adapted("persistent user data are bytes; the artifact writes its execution number");
    const JobExecution execution = run("chunkrestartCheckpt10", {{"execution.number", "1"},
                                                                 {"readrecord.fail", "12"},
                                                                 {"app.arraysize", "30"},
                                                                 {"app.writepoints", points(0, 10)},
                                                                 {"app.next.writepoints", points(10, 10)}});
    expect_status(execution, BatchStatus::failed);
    EXPECT_EQ(only_step_of(execution).user_data, "1");
}

TEST_F(ChunkTests, testChunkItemListeners) {
    for (const char* phase : {"READ", "PROCESS", "WRITE"}) {
        SCOPED_TRACE(phase);
        Parameters parameters = thirty;
        parameters["app.writepoints"] = points(0, 5);
        parameters["app.listenertest"] = phase;
        expect_end(run("testListeners", parameters), BatchStatus::completed, "GOOD");
    }
}

}  // namespace
}  // namespace fermata::tck
