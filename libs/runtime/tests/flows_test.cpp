// Flows, splits and decisions (Jakarta Batch §8.3 to §8.5, §8.9, §10.8).
#include "deadly.hpp"

#include <gmock/gmock.h>

#include <fmt/format.h>

namespace fermata::test {
namespace {

using Lines = std::vector<std::string>;
using testing::ElementsAre;
using testing::UnorderedElementsAre;

class Flows : public Deadly {
protected:
    static std::string step_of(const std::string& id, const std::string& attributes = "",
                               const std::string& transitions = "") {
        return fmt::format(R"(<step id="{}" {}><batchlet ref="scripted"/>{}</step>)", id, attributes, transitions);
    }
    static std::string flow(const std::string& id, const std::string& body, const std::string& attributes = "") {
        return fmt::format(R"(<flow id="{}" {}>{}</flow>)", id, attributes, body);
    }
    static std::string split(const std::string& id, const std::string& body, const std::string& attributes = "") {
        return fmt::format(R"(<split id="{}" {}>{}</split>)", id, attributes, body);
    }
    static std::string decision(const std::string& id, const std::string& transitions) {
        return fmt::format(R"(<decision id="{}" ref="decider">{}</decision>)", id, transitions);
    }
    Lines names(JobExecutionId id) {
        Lines found;
        for (const StepExecution& step : repository_->steps_of(id)) found.push_back(step.name);
        return found;
    }
    /// on_batchlet answers by step name; "!" throws.
    static void answer(std::map<std::string, std::string> answers) {
        script().on_batchlet = [answers = std::move(answers)](StepContext& step) {
            const auto found = answers.find(step.step_name);
            if (found == answers.end()) return std::string();
            if (found->second == "!") throw Bad("as told");
            return found->second;
        };
    }
    static void decide(std::string answer) {
        script().on_decide = [answer = std::move(answer)](auto, auto&) { return answer; };
    }
    void expect_sound() { EXPECT_THAT(repository_->verify(), testing::IsEmpty()); }
};

// --- §8.3, §8.9: flows

TEST_F(Flows, AFlowBeginsAtItsFirstElementAndLeadsOnByItsNextAttribute) {
    const JobExecution execution =
        run(job(flow("f", step_of("a", "next=\"b\"") + step_of("b"), "next=\"c\"") + step_of("c")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_THAT(names(execution.id), ElementsAre("a", "b", "c"));
    expect_sound();
}

TEST_F(Flows, EndInsideAFlowEndsTheJobHoweverDeep) {
    answer({{"a", "X"}});
    const JobExecution execution = run(
        job(flow("f", flow("g", step_of("a", "", R"(<end on="X" exit-status="DEEP"/>)"), "next=\"b\"") + step_of("b"),
                 "next=\"c\"") +
            step_of("c")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(execution.exit_status, "DEEP");
    EXPECT_THAT(names(execution.id), ElementsAre("a"));
}

TEST_F(Flows, TheTransitionElementsOfAFlowMeetTheExitStatusOfItsLastElement) {
    answer({{"b", "LATE"}});
    const JobExecution execution =
        run(job(flow("f", step_of("a", "next=\"b\"") + step_of("b") + R"(<next on="LATE" to="c"/><fail on="*"/>)",
                     "next=\"d\"") +
                step_of("c") + step_of("d")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_THAT(names(execution.id), ElementsAre("a", "b", "c"));
}

TEST_F(Flows, AFailedStepFailsItsFlowUnlessTheFlowHasAnElementForIt) {
    answer({{"a", "!"}});
    const JobExecution failed = run(job(flow("f", step_of("a"), "next=\"b\"") + step_of("b")));
    EXPECT_EQ(failed.status, BatchStatus::failed);
    EXPECT_EQ(failed.failure->message, "as told");
    const JobExecution past = run(job(flow("f", step_of("a") + R"(<next on="FAILED" to="b"/>)") + step_of("b")));
    EXPECT_EQ(past.status, BatchStatus::completed);
    EXPECT_THAT(names(past.id), ElementsAre("a", "b"));
}

TEST_F(Flows, AFlowSharesTheJobContextOfItsThread) {
    script().on_batchlet = [](StepContext& step) {
        step.job->exit_status = step.job->exit_status.value_or("") + step.step_name;
        return std::string();
    };
    const JobExecution execution =
        run(job(flow("f", step_of("a", "next=\"b\"") + step_of("b"), "next=\"c\"") + step_of("c")));
    EXPECT_EQ(execution.exit_status, "abc");
}

TEST_F(Flows, RestartEntersAFlowAtItsFirstElementAndPassesWhatIsCompleted) {  // §8.3, §10.8
    answer({{"b", "!"}});
    const JobExecution first =
        run(job(flow("f", flow("g", step_of("a", "next=\"b\"") + step_of("b")), "next=\"c\"") + step_of("c")));
    EXPECT_EQ(first.status, BatchStatus::failed);
    answer({});
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(names(second.id), ElementsAre("b", "c"));
    expect_sound();
}

TEST_F(Flows, StopRestartNamesAFlowASplitOrADecision) {
    answer({{"a", "F"}});
    const std::string body =
        step_of("a", "", R"(<stop on="F" restart="f"/><stop on="S" restart="s"/><stop on="D" restart="d"/>)") +
        flow("f", step_of("b")) + split("s", flow("s1", step_of("c"))) + decision("d", R"(<next on="*" to="e"/>)") +
        step_of("e");
    EXPECT_THAT(names(restart(run(job(body)).id).id), ElementsAre("b"));
    answer({{"a", "S"}});
    EXPECT_THAT(names(restart(run(job(body)).id).id), ElementsAre("c"));
    answer({{"a", "D"}});
    const JobExecution decided = restart(run(job(body)).id);
    EXPECT_THAT(names(decided.id), ElementsAre("e"));
    EXPECT_THAT(script().log, testing::Contains("decide a"));
}

// --- §8.4: splits

TEST_F(Flows, ASplitRunsItsFlowsAtTheSameTimeAndThenItsNext) {
    std::mutex mutex;
    std::condition_variable both;
    int here = 0;
    script().on_batchlet = [&](StepContext& step) {
        if (step.step_name == "c") return std::string();
        std::unique_lock lock(mutex);
        ++here;
        both.notify_all();
        EXPECT_TRUE(both.wait_for(lock, std::chrono::seconds(30), [&] { return here == 2; }));
        return std::string();
    };
    const JobExecution execution =
        run(job(split("s", flow("f", step_of("a")) + flow("g", step_of("b")), "next=\"c\"") + step_of("c")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(names(execution.id).back(), "c");
    EXPECT_THAT(names(execution.id), UnorderedElementsAre("a", "b", "c"));
    expect_sound();
}

TEST_F(Flows, TheContextsOfSplitFlowsAreTheirOwn) {
    script().on_batchlet = [](StepContext& step) {
        EXPECT_FALSE(step.job->transient_user_data.has_value()) << step.step_name;
        if (step.step_name != "c") {
            step.job->transient_user_data = 1;
            step.job->exit_status = step.step_name;
        }
        return std::string();
    };
    const JobExecution execution =
        run(job(split("s", flow("f", step_of("a")) + flow("g", step_of("b")), "next=\"c\"") + step_of("c")));
    EXPECT_EQ(execution.exit_status, "COMPLETED");
}

TEST_F(Flows, AFailedFlowFailsTheSplitAfterTheOthersHaveEnded) {
    answer({{"a", "!"}});
    const JobExecution execution = run(
        job(split("s", flow("f", step_of("a")) + flow("g", step_of("b", "next=\"c\"") + step_of("c")), "next=\"d\"") +
            step_of("d")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_THAT(names(execution.id), UnorderedElementsAre("a", "b", "c"));
    EXPECT_EQ(execution.failure->step, "a");
}

TEST_F(Flows, EndStopAndFailInsideSplitFlowsEndTheJobAndTheWorstCounts) {  // §8.4.1
    const auto body = [](const std::string& first, const std::string& second) {
        return split("s", flow("f", step_of("a", "", first)) + flow("g", step_of("b", "", second)), "next=\"c\"") +
               step_of("c");
    };
    const std::string end = R"(<end on="*" exit-status="E"/>)";
    const std::string stop = R"(<stop on="*" exit-status="S" restart="c"/>)";
    const std::string fail = R"(<fail on="*" exit-status="F"/>)";
    const JobExecution ended = run(job(body(end, "")));
    EXPECT_EQ(ended.status, BatchStatus::completed);
    EXPECT_EQ(ended.exit_status, "E");
    EXPECT_THAT(names(ended.id), UnorderedElementsAre("a", "b"));
    const JobExecution stopped = run(job(body(end, stop)));
    EXPECT_EQ(stopped.status, BatchStatus::stopped);
    EXPECT_EQ(stopped.exit_status, "S");
    EXPECT_EQ(stopped.restart_from, "c");
    const JobExecution failed = run(job(body(fail, stop)));
    EXPECT_EQ(failed.status, BatchStatus::failed);
    EXPECT_EQ(failed.exit_status, "F");
}

TEST_F(Flows, WhatOneFlowOfASplitHasEndedAFailureInAnotherDoesNotReopen) {  // §8.4.1
    answer({{"a", "!"}});
    for (const char* ending : {R"(<end on="*"/>)", R"(<stop on="*" restart="f"/>)"}) {
        const JobExecution execution =
            run(job(flow("f", split("s", flow("g", step_of("a")) + flow("h", step_of("b", "", ending))) +
                                  R"(<next on="FAILED" to="c"/>)") +
                    step_of("c")));
        EXPECT_EQ(execution.status, BatchStatus::failed);
        EXPECT_EQ(execution.exit_status, "FAILED");
        EXPECT_EQ(execution.restart_from, std::nullopt);
        EXPECT_THAT(names(execution.id), UnorderedElementsAre("a", "b"));
    }
}

TEST_F(Flows, CompletedStepsOfSplitFlowsAreNotRunAgain) {  // §8.4, §10.8
    answer({{"b", "!"}});
    const JobExecution first =
        run(job(split("s", flow("f", step_of("a")) + flow("g", step_of("b", "next=\"c\"") + step_of("c")))));
    EXPECT_EQ(first.status, BatchStatus::failed);
    answer({});
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(names(second.id), ElementsAre("b", "c"));
    expect_sound();
}

TEST_F(Flows, ADeeplyNestedSplitNeedsNoHelpers) {
    JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
    std::string body = step_of("leaf");
    for (int depth = 0; depth < 5; ++depth)
        body = split("s" + std::to_string(depth),
                     flow("f" + std::to_string(depth), body) +
                         flow("g" + std::to_string(depth), step_of("t" + std::to_string(depth))));
    const JobExecutionId id = alone.start(job(body), {});
    const auto ended = alone.wait(id, std::chrono::seconds(30));
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->status, BatchStatus::completed);
    EXPECT_EQ(names(id).size(), 6U);
}

TEST_F(Flows, StopReachesEveryFlowOfASplitAndNothingNewIsEntered) {
    std::mutex mutex;
    std::condition_variable changed;
    int here = 0;
    int stops = 0;  // one that ends before it is told to stop itself is COMPLETED
    script().on_batchlet = [&](StepContext&) {
        std::unique_lock lock(mutex);
        ++here;
        changed.notify_all();
        EXPECT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return stops == 2; }));
        return std::string("SEEN");
    };
    script().on_batchlet_stop = [&] {
        const std::lock_guard lock(mutex);
        ++stops;
        changed.notify_all();
    };
    const JobExecutionId id =
        operator_->start(job(split("s",
                                   flow("f", step_of("a", "next=\"c\"") + step_of("c")) +
                                       flow("g", step_of("b", "", R"(<next on="SEEN" to="d"/>)") + step_of("d")),
                                   "next=\"e\"") +
                             step_of("e")),
                         {});
    {
        std::unique_lock lock(mutex);
        ASSERT_TRUE(changed.wait_for(lock, std::chrono::seconds(30), [&] { return here == 2; }));
    }
    operator_->stop(id);
    EXPECT_EQ(operator_->wait(id)->status, BatchStatus::stopped);
    EXPECT_THAT(names(id), UnorderedElementsAre("a", "b"));
    EXPECT_EQ(step(id, "a").status, BatchStatus::stopped);
    script().on_batchlet = nullptr;
    const JobExecution second = restart(id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_THAT(names(second.id), UnorderedElementsAre("a", "b", "c", "e"));
}

// --- §8.5, §9.6: decisions

TEST_F(Flows, ADeciderSeesTheStepBeforeItAndItsAnswerIsMatched) {
    answer({{"a", "SEVEN"}});
    script().on_decide = [](std::span<const StepExecution> steps, JobContext&) {
        EXPECT_EQ(steps.size(), 1U);
        EXPECT_EQ(steps[0].status, BatchStatus::completed);
        return steps[0].exit_status.value_or("") + "!";
    };
    const JobExecution execution =
        run(job(step_of("a", "next=\"d\"") + decision("d", R"(<next on="SEVEN!" to="b"/>)") + step_of("b")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(execution.exit_status, "SEVEN!");  // §8.5: the answer is the job's exit status
    EXPECT_THAT(names(execution.id), ElementsAre("a", "b"));
}

TEST_F(Flows, AfterASplitADeciderSeesTheLastStepOfEachFlow) {
    decide("ON");
    const JobExecution execution = run(
        job(split("s", flow("f", step_of("a", "next=\"b\"") + step_of("b")) + flow("g", step_of("c")), "next=\"d\"") +
            decision("d", R"(<end on="ON" exit-status="OK"/>)")));
    EXPECT_EQ(execution.exit_status, "OK");
    EXPECT_THAT(script().log, ElementsAre("decide b c"));
}

TEST_F(Flows, AnAnswerThatNothingMatchesEndsTheJobCompleted) {
    decide("NOBODY");
    const JobExecution execution = run(job(step_of("a", "next=\"d\"") + decision("d", R"(<fail on="X"/>)")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(execution.exit_status, "NOBODY");
}

TEST_F(Flows, ADecisionAfterADecisionSeesTheSameSteps) {
    decide("ON");
    run(job(step_of("a", "next=\"d\"") + decision("d", R"(<next on="*" to="e"/>)") + decision("e", "")));
    EXPECT_THAT(script().log, ElementsAre("decide a", "decide a"));
}

TEST_F(Flows, ADeciderThatThrowsFailsTheJob) {  // §8.5.2
    script().on_decide = [](auto, auto&) -> std::string { throw Bad("cannot decide"); };
    const JobExecution execution =
        run(job(step_of("a", "next=\"d\"") + decision("d", R"(<next on="*" to="b"/>)") + step_of("b")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->message, "cannot decide");
    EXPECT_EQ(execution.failure->step, "d");
    EXPECT_THAT(names(execution.id), ElementsAre("a"));
}

TEST_F(Flows, OnRestartADecisionIsAskedAgainAboutTheStepsOfTheEarlierExecution) {
    answer({{"b", "!"}});
    decide("ON");
    const std::string body = step_of("a", "next=\"d\"") + decision("d", R"(<next on="ON" to="b"/>)") + step_of("b");
    const JobExecution first = run(job(body));
    const StepExecutionId seen = step(first.id, "a").id;
    answer({});
    script().on_decide = [&](std::span<const StepExecution> steps, JobContext&) {
        EXPECT_EQ(steps[0].id, seen);
        return std::string("ON");
    };
    EXPECT_EQ(restart(first.id).status, BatchStatus::completed);
}

// --- the record: who adopts follows it

TEST_F(Flows, AnAdopterAsksNoDecisionTwiceAndGoesOnInsideTheFlow) {
    decide("ON");
    const JobDefinition definition =
        job(step_of("a", "next=\"d\"") + decision("d", R"(<next on="ON" to="f"/>)") +
            flow("f", step_of("b", "next=\"c\"") + step_of("c"), "next=\"e\"") + step_of("e"));
    ASSERT_TRUE(died(in_child([&] {
        script().on_batchlet = [](StepContext& step) {
            if (step.step_name == "c") die();
            return std::string();
        };
        run(definition);
        return 0;
    })));
    script().on_decide = [](auto, auto&) -> std::string { throw Bad("asked again"); };
    operator_->recover(latest());
    const JobExecution recovered = *operator_->wait(latest());
    EXPECT_EQ(recovered.status, BatchStatus::completed);
    EXPECT_EQ(recovered.exit_status, "ON");
    EXPECT_THAT(names(recovered.id), ElementsAre("a", "b", "c", "e"));
    expect_sound();
}

TEST_F(Flows, AnAdopterGoesOnInEachFlowOfASplit) {
    const JobDefinition definition =
        job(split("s",
                  flow("f", step_of("a", "next=\"b\"") + step_of("b")) +
                      flow("g", step_of("c", "next=\"x\"") + step_of("x") + R"(<fail on="NEVER"/>)"),
                  "next=\"e\"") +
            step_of("e"));
    ASSERT_TRUE(died(in_child([&] {
        std::mutex mutex;
        std::condition_variable changed;
        bool waiting = false;
        script().on_batchlet = [&](StepContext& step) -> std::string {
            std::unique_lock lock(mutex);
            if (step.step_name == "b") {
                waiting = true;
                changed.notify_all();
                changed.wait_for(lock, std::chrono::seconds(30));
            } else if (step.step_name == "x") {
                changed.wait_for(lock, std::chrono::seconds(30), [&] { return waiting; });
                die();
            }
            return "";
        };
        run(definition);
        return 0;
    })));
    operator_->recover(latest());
    const JobExecution recovered = *operator_->wait(latest());
    EXPECT_EQ(recovered.status, BatchStatus::completed);
    EXPECT_THAT(names(recovered.id), UnorderedElementsAre("a", "b", "c", "x", "e"));
    EXPECT_EQ(names(recovered.id).back(), "e");
    expect_sound();
}

TEST_F(Flows, ADecisionThatFailedIsNotAskedAgainByAnAdopter) {  // §8.5.2
    const JobDefinition definition = job(split(
        "s", flow("f", step_of("a", "next=\"d\"") + decision("d", R"(<end on="*"/>)")) + flow("g", step_of("b"))));
    ASSERT_TRUE(died(in_child([&] {
        JobOperator alone(*repository_, registry_, drivers_, {.helpers = 0});
        script().on_decide = [](auto, auto&) -> std::string { throw Bad("no answer"); };
        script().on_batchlet = [](StepContext& step) -> std::string {
            if (step.step_name == "b") die();
            return "";
        };
        (void)alone.wait(alone.start(definition, {}));
        return 0;
    })));
    operator_->recover(latest());
    const JobExecution recovered = *operator_->wait(latest());
    EXPECT_EQ(recovered.status, BatchStatus::failed);
    EXPECT_EQ(recovered.failure->message, "no answer");
    EXPECT_EQ(recovered.failure->step, "d");
    EXPECT_THAT(script().log, testing::IsEmpty());
    expect_sound();
}

TEST_F(Flows, AnAdopterOfAFailedWalkTellsTheSameFailure) {
    ASSERT_TRUE(died(in_child([&] {
        answer({{"a", "!"}});
        script().on_call["afterJob"] = [](StepContext*, JobContext&) { die(); };
        run(job(R"(<listeners><listener ref="recorder"/></listeners>)" + flow("f", step_of("a"))));
        return 0;
    })));
    script().on_call.clear();
    operator_->recover(latest());
    const JobExecution recovered = *operator_->wait(latest());
    EXPECT_EQ(recovered.status, BatchStatus::failed);
    ASSERT_TRUE(recovered.failure);
    EXPECT_EQ(recovered.failure->message, "as told");
    EXPECT_EQ(names(recovered.id).size(), 1U);
}

// --- what is wrong is told before anything runs

TEST_F(Flows, ATargetInAnotherScopeIsToldAtStart) {
    EXPECT_THROW(run(job(flow("f", step_of("a", "next=\"b\"")) + step_of("b"))), JobStartException);
    EXPECT_THROW(run(job(decision("d", ""))), JobStartException);
}

TEST_F(Flows, AnElementReachedTwiceFailsTheJob) {  // §8.9.3
    answer({{"b", "BACK"}});
    const JobExecution execution =
        run(job(flow("f", step_of("a"), "next=\"b\"") + step_of("b", "", R"(<next on="BACK" to="f"/>)")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_THAT(execution.failure->message, testing::HasSubstr("\"f\" was reached a second time"));
}

}  // namespace
}  // namespace fermata::test
