// What is said of a step that has ended.
#include "report.hpp"

#include <gmock/gmock.h>

namespace fermata::cli {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;

RunningStep ended_after(Duration took, std::int64_t written, std::int64_t before) {
    RunningStep step{.name = "load", .status = BatchStatus::completed, .started = Timestamp(Duration(1))};
    step.ended = step.started + took;
    step.metrics = {.read = written, .written = written};
    step.before = {.read = before, .written = before};
    return step;
}

TEST(Report, ARateIsOfWhatWasDoneInTheTimeThatIsShown) {
    EXPECT_THAT(step_line(ended_after(std::chrono::seconds(2), 4'000, 0), {}), EndsWith("written 4,000   2.0k/s\n"));
    EXPECT_THAT(step_line(ended_after(std::chrono::seconds(2), 4'000, 3'000), {}), EndsWith("written 4,000   500/s\n"));
    EXPECT_THAT(step_line(ended_after(std::chrono::seconds(2), 4'000, 4'000), {}), Not(HasSubstr("/s")));
}

TEST(Report, WhatIsLeftTakesAsLongAsWhatWasDoneHere) {
    RunningStep step{.fraction = 0.6, .fraction_before = 0, .started = Timestamp(Duration(1))};
    const Timestamp now = step.started + std::chrono::seconds(30);
    EXPECT_EQ(eta_text(step, now), "  eta 20.0s");
    step.fraction_before = 0.5;
    EXPECT_EQ(eta_text(step, now), "  eta 2:00");
    step.fraction_before = 0.6;
    EXPECT_EQ(eta_text(step, now), "");
    step.fraction = -1;
    EXPECT_EQ(eta_text(step, now), "");
}

}  // namespace
}  // namespace fermata::cli
