// Transitions: targets, cycles, what is never reached.
#include "jobs.hpp"

#include <gmock/gmock.h>

namespace fermata {
namespace {

using namespace testing_model;
using testing::ElementsAre;
using testing::IsEmpty;

/// "a>b" has next="b"; the lines of the steps count from 2.
JobDefinition chain(const std::vector<std::string>& steps) {
    std::vector<ElementDefinition> made;
    int line = 2;
    for (const auto& step : steps) {
        const auto arrow = step.find('>');
        auto element = batchlet_step(step.substr(0, arrow), line);
        if (arrow != std::string::npos) element.next = text(step.substr(arrow + 1), {line, 20});
        made.emplace_back(std::move(element));
        ++line;
    }
    return job_of(made);
}

TEST(Paths, ATargetThatDoesNotExistIsAnErrorWithASuggestion) {
    EXPECT_THAT(
        told(chain({"load>reprot", "report"})),
        ElementsAre("job.xml:2:20: error: step \"load\": next=\"reprot\" names nothing in this job; did you mean "
                    "\"report\"?"));
    auto job = chain({"load", "report"});
    step_at(job, 0).transitions = {next_on("OK", "repor", 3)};
    step_at(job, 0).transitions.push_back(
        {.kind = TransitionDefinition::Kind::stop, .on = text("W"), .restart = text("xyz", {4, 20})});
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:3:20: error: step \"load\": next on=\"OK\" to=\"repor\" names nothing in "
                            "this job; did you mean \"report\"?",
                            "job.xml:4:20: error: step \"load\": stop on=\"W\" restart=\"xyz\" names nothing in "
                            "this job"));
}

TEST(Paths, ATargetFromAParameterIsCheckedWhenItIsKnown) {
    const auto job = chain({"load>#{jobParameters['to']}", "report"});
    EXPECT_THAT(told(job, {{"to", "report"}}), IsEmpty());
    EXPECT_THAT(told(job, {{"to", "load2"}}),
                ElementsAre(testing::HasSubstr("next=\"load2\" names nothing in this job")));
}

TEST(Paths, AnEmptyTargetIsAnError) {
    EXPECT_THAT(told(chain({"load>"})), ElementsAre("job.xml:2:20: error: step \"load\": next=\"\" names no step"));
    auto job = chain({"load"});
    step_at(job, 0).transitions = {next_on("OK", "", 3)};
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:3:20: error: step \"load\": next on=\"OK\" to=\"\" names nothing in this "
                            "job"));
}

TEST(Paths, AStepThatLeadsToItselfIsAnError) {
    EXPECT_THAT(
        told(chain({"load>load"})),
        ElementsAre("job.xml:2:20: error: step \"load\": next=\"load\" leads to the step itself, but one execution "
                    "enters a step only once"));
    auto job = chain({"load"});
    step_at(job, 0).transitions = {next_on("AGAIN", "load", 3)};
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:3:20: error: step \"load\": next on=\"AGAIN\" to=\"load\" leads to the step "
                            "itself, but one execution enters a step only once"));
}

TEST(Paths, RestartingAtTheStepItselfIsFine) {
    auto job = chain({"load"});
    step_at(job, 0).transitions = {
        {.kind = TransitionDefinition::Kind::stop, .on = text("W"), .restart = text("load", {4, 20})}};
    EXPECT_THAT(told(job), IsEmpty());
}

TEST(Paths, ACertainCycleIsAnErrorThatNamesIt) {
    EXPECT_THAT(
        told(chain({"a>b", "b>c", "c>b"})),
        ElementsAre("job.xml:4:20: error: step \"c\": next=\"b\" closes a cycle that never ends: \"b\" -> \"c\" -> "
                    "\"b\"; one execution enters a step only once"));
    auto job = chain({"a>b", "b"});
    step_at(job, 1).transitions = {next_on("**", "a", 9)};
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:9:20: error: step \"b\": next on=\"**\" to=\"a\" closes a cycle that never "
                            "ends: \"a\" -> \"b\" -> \"a\"; one execution enters a step only once"));
}

TEST(Paths, TwoCyclesAreTwoErrors) {
    auto job = chain({"a", "b>c", "c>b", "d>e", "e>d"});
    step_at(job, 0).transitions = {next_on("B", "b"), next_on("D", "d")};
    EXPECT_THAT(told(job), ElementsAre(testing::HasSubstr("\"b\" -> \"c\" -> \"b\""),
                                       testing::HasSubstr("\"d\" -> \"e\" -> \"d\"")));
}

TEST(Paths, AWayBackThatIsNotCertainIsNoError) {
    auto job = chain({"a>b", "b"});
    step_at(job, 1).transitions = {next_on("AGAIN", "a")};
    EXPECT_THAT(told(job), IsEmpty());
    step_at(job, 1).transitions = {{.kind = TransitionDefinition::Kind::end, .on = text("OK")}, next_on("*", "a")};
    EXPECT_THAT(told(job), IsEmpty());
    step_at(job, 1).transitions = {{.kind = TransitionDefinition::Kind::end, .on = text("OK")}};
    step_at(job, 1).next = text("a");
    EXPECT_THAT(told(job), IsEmpty());
}

TEST(Paths, AStepNeverReachedIsAWarning) {
    EXPECT_THAT(
        told(chain({"a", "b"})),
        ElementsAre("job.xml:3:3: warning: step \"b\" is never reached; a step does not follow the one before it "
                    "without next=\"b\" there"));
    auto job = chain({"a", "b", "c"});
    step_at(job, 0).transitions = {next_on("X", "b"),
                                   {.kind = TransitionDefinition::Kind::stop, .on = text("W"), .restart = text("c")}};
    EXPECT_THAT(told(job), IsEmpty());
}

TEST(Paths, AStepIdUsedTwiceIsAnError) {
    EXPECT_THAT(
        told(chain({"a>a2", "a2", "a2"})),
        ElementsAre("job.xml:4:3: error: step id \"a2\" is used twice",
                    "job.xml:4:3: warning: step \"a2\" is never reached; a step does not follow the one before it "
                    "without next=\"a2\" there"));
}

TEST(Paths, LongChainsAreWalkedInLinearTime) {
    std::vector<std::string> steps;
    for (int i = 0; i < 10000; ++i) steps.push_back("s" + std::to_string(i) + ">s" + std::to_string(i + 1));
    steps.emplace_back("s10000");
    EXPECT_THAT(told(chain(steps)), IsEmpty());
}

}  // namespace
}  // namespace fermata
