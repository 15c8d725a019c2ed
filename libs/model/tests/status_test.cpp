#include <fermata/model/status.hpp>

#include <gtest/gtest.h>

namespace fermata {
namespace {

using enum BatchStatus;

constexpr BatchStatus all[] = {starting, started, stopping, stopped, pausing, paused, failed, completed, abandoned};

TEST(Status, NamesAreJakartasAndReadInAnyCase) {
    for (const auto status : all) EXPECT_EQ(parse_batch_status(to_string(status)), status);
    EXPECT_EQ(to_string(stopping), "STOPPING");
    EXPECT_EQ(parse_batch_status("sToPPed"), stopped);
    EXPECT_EQ(parse_batch_status("UNKNOWN"), std::nullopt);
    EXPECT_EQ(parse_batch_status("STOP"), std::nullopt);
    EXPECT_EQ(parse_batch_status(""), std::nullopt);
}

std::string successors(Subject subject, BatchStatus from) {
    std::string text;
    for (const auto to : all) {
        if (is_legal(subject, from, to)) text += (text.empty() ? "" : " ") + std::string(to_string(to));
    }
    return text;
}

TEST(Status, JobExecutionsChangeAsTheDesignSays) {
    EXPECT_EQ(successors(Subject::job_execution, starting), "STARTED STOPPING STOPPED PAUSING PAUSED FAILED");
    EXPECT_EQ(successors(Subject::job_execution, started), "STARTING STOPPING STOPPED PAUSING PAUSED FAILED COMPLETED");
    EXPECT_EQ(successors(Subject::job_execution, stopping), "STOPPED FAILED COMPLETED");
    EXPECT_EQ(successors(Subject::job_execution, pausing), "STARTING STARTED STOPPING STOPPED PAUSED FAILED COMPLETED");
    EXPECT_EQ(successors(Subject::job_execution, paused), "STARTING STARTED STOPPED FAILED ABANDONED");
    EXPECT_EQ(successors(Subject::job_execution, stopped), "ABANDONED");
    EXPECT_EQ(successors(Subject::job_execution, failed), "ABANDONED");
    EXPECT_EQ(successors(Subject::job_execution, completed), "ABANDONED");
    EXPECT_EQ(successors(Subject::job_execution, abandoned), "");
}

TEST(Status, StepExecutionsChangeAsTheDesignSays) {
    EXPECT_EQ(successors(Subject::step_execution, starting), "STARTED STOPPED FAILED");
    EXPECT_EQ(successors(Subject::step_execution, started), "STOPPED PAUSED FAILED COMPLETED");
    EXPECT_EQ(successors(Subject::step_execution, paused), "STARTED STOPPED FAILED");
    for (const auto status : {stopping, stopped, pausing, failed, completed, abandoned}) {
        EXPECT_EQ(successors(Subject::step_execution, status), "") << to_string(status);
    }
}

TEST(Status, PartitionsChangeAsTheDesignSays) {
    EXPECT_EQ(successors(Subject::partition_execution, starting), "STARTED STOPPED");
    EXPECT_EQ(successors(Subject::partition_execution, started), "STARTING STOPPED PAUSED FAILED COMPLETED");
    EXPECT_EQ(successors(Subject::partition_execution, paused), "STARTED STOPPED FAILED");
}

TEST(Status, EveryTransitionSaysWhichEventItIs) {
    for (const auto& transition : transitions()) {
        EXPECT_FALSE(transition.event.empty());
        EXPECT_NE(transition.from, transition.to);
    }
}

}  // namespace
}  // namespace fermata
