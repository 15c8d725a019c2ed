// Skip and retry.
#include "chunk_tests.hpp"

namespace fermata::tck {

/// Where reader and processor fail (items), and the writer (calls, from 0).
Parameters ChunkTests::skipping(const std::string& read, const std::string& process, const std::string& write) {
    return {{"execution.number", "1"},
            {"app.arraysize", "30"},
            {"readrecord.fail", read},
            {"processrecord.fail", process},
            {"writerecord.fail", write}};
}

namespace {

TEST_F(ChunkTests, testChunkSkipRead) {
    const JobExecution execution = run("chunkSkipInitialTest", skipping("8,13", "", ""));
    expect_end(execution, BatchStatus::completed, "GOOD");
    EXPECT_EQ(only_step_of(execution).metrics.read_skips, 2);
}

TEST_F(ChunkTests, testChunkSkipProcess) {
    const JobExecution execution = run("chunkSkipInitialTest", skipping("", "7,13", ""));
    expect_end(execution, BatchStatus::completed, "GOOD");
    EXPECT_EQ(only_step_of(execution).metrics.process_skips, 2);
}

TEST_F(ChunkTests, testChunkSkipWrite) {
    const JobExecution execution = run("chunkSkipInitialTest", skipping("", "", "1,3"));
    expect_end(execution, BatchStatus::completed, "GOOD");
    EXPECT_EQ(only_step_of(execution).metrics.written, 24);
}

TEST_F(ChunkTests, testChunkSkipOnError) {
    const struct {
        const char* phase;
        Parameters parameters;
    } jobs[] = {
        {"READ", skipping("1,2", "", "")}, {"PROCESS", skipping("", "7,13", "")}, {"WRITE", skipping("", "", "1,3")}};
    for (const auto& job : jobs) {
        SCOPED_TRACE(job.phase);
        Parameters parameters = job.parameters;
        parameters["app.listenertest"] = job.phase;
        expect_end(run("chunkSkipOnErrorTest", parameters), BatchStatus::completed, "GOOD, 2 errors");
    }
}

TEST_F(ChunkTests, testChunkSkipReadExceedSkip) {
    expect_end(run("chunkSkipExceededTest", skipping("1,2", "", "")), BatchStatus::failed, "GOOD");
}
TEST_F(ChunkTests, testChunkSkipProcessExceedSkip) {
    expect_end(run("chunkSkipExceededTest", skipping("", "5,7", "")), BatchStatus::failed, "GOOD");
}
TEST_F(ChunkTests, testChunkSkipWriteExceedSkip) {
    expect_end(run("chunkSkipExceededTest", skipping("", "", "2,8")), BatchStatus::failed, "GOOD");
}

TEST_F(ChunkTests, testChunkSkipMultipleExceptions) {
    note("the opposite expectation: the nearest class that is listed decides, so the grandchild is skipped");
    expect_end(run("chunkSkipMultipleExceptions", skipping("1,2", "", "")), BatchStatus::completed, "GOOD");
}

TEST_F(ChunkTests, testChunkRetryRead) {
    const JobExecution execution = run("chunkRetryInitialTest", skipping("8,13,22", "", ""));
    expect_end(execution, BatchStatus::completed, "COMPLETED");
    EXPECT_EQ(only_step_of(execution).metrics.rollbacks, 0);
}

TEST_F(ChunkTests, testChunkRetryMultipleExceptions) {
    const JobExecution execution = run("chunkRetryMultipleExceptions", skipping("8,13,22", "", ""));
    expect_end(execution, BatchStatus::failed, "GOOD");
    ASSERT_TRUE(execution.failure);
    EXPECT_EQ(execution.failure->error_class, "com.ibm.jbatch.tck.artifacts.reusable.MyChildException");
}

// --- deleted upstream, their job XML is still there

TEST_F(ChunkTests, testChunkRetryLimit0) {
    expect_end(run("chunkRetryLimitTest", {{"retry.limit", "0"},
                                           {"number.of.items.to.be.read", "10"},
                                           {"throw.reader.exception.for.these.items", "0"}}),
               BatchStatus::failed, "BasicReaderException:Item#0");
}

TEST_F(ChunkTests, testChunkSkipLimit0) {
    expect_end(run("chunkSkipLimitTest", {{"skip.limit", "0"},
                                          {"number.of.items.to.be.read", "10"},
                                          {"throw.reader.exception.for.these.items", "0"}}),
               BatchStatus::failed, "BasicReaderException:Item#0");
}

const Parameters one_each = {{"number.of.items.to.be.read", "10"},
                             {"throw.reader.exception.for.these.items", "0"},
                             {"throw.processor.exception.for.these.items", "1"},
                             {"throw.writer.exception.for.these.items", "2"}};

TEST_F(ChunkTests, testChunkRetryLimitExceededByRPWCombo) {
    Parameters parameters = one_each;
    parameters["retry.limit"] = "2";
    expect_end(run("chunkRetryLimitTest", parameters), BatchStatus::failed, "BasicWriterException:Item#2");
}

TEST_F(ChunkTests, testChunkSkipLimitExceededByRPWCombo) {
    Parameters parameters = one_each;
    parameters["skip.limit"] = "2";
    expect_end(run("chunkSkipLimitTest", parameters), BatchStatus::failed, "BasicWriterException:Item#2");
}

TEST_F(ChunkTests, testChunkSkipWriteVerify) {
    const JobExecution execution = run("chunkSkipVerifyTest", {{"app.arraysize", "30"}});
    expect_end(execution, BatchStatus::completed, "GOOD");
    EXPECT_EQ(only_step_of(execution).metrics.written, 21);
}

class RetryListenerTests : public ChunkTests {
protected:
    void fails_after_one_retry(const Parameters& parameters) {
        expect_end(run("job_retry_listener_test", parameters), BatchStatus::failed, "Retry listener invoked");
    }
};

TEST_F(RetryListenerTests, testRetryReadListener) { fails_after_one_retry(skipping("8,13", "", "")); }
TEST_F(RetryListenerTests, testRetryProcessListener) { fails_after_one_retry(skipping("", "8,13", "")); }
TEST_F(RetryListenerTests, testRetryWriteListener) { fails_after_one_retry(skipping("", "", "1,3")); }

}  // namespace
}  // namespace fermata::tck
