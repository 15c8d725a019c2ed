// Transitions, restart and the JobOperator's exceptions (Jakarta Batch §8.6, §10.8, §10.9.11).
#include "harness.hpp"

#include <fermata/model/builder.hpp>

namespace fermata::test {
namespace {

using Lines = std::vector<std::string>;
class Walk : public Harness {
protected:
    /// A batchlet step whose exit status is what on_batchlet returns.
    static std::string batchlet(const std::string& id, const std::string& attributes = "",
                                const std::string& transitions = "") {
        return "<step id=\"" + id + "\" " + attributes + "><batchlet ref=\"scripted\"/>" + transitions + "</step>";
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
};

TEST_F(Walk, NextAttributesChainStepsAndDocumentOrderDoesNot) {
    const JobExecution execution = run(job(batchlet("a", "next=\"c\"") + batchlet("c") + batchlet("b")));
    EXPECT_EQ(execution.status, BatchStatus::completed);
    EXPECT_EQ(names(execution.id), (Lines{"a", "c"}));
}

TEST_F(Walk, TheFirstMatchingElementDecides) {
    answer({{"a", "RC4"}});
    const JobExecution execution =
        run(job(batchlet("a", "", R"(<next on="RC?5" to="b"/><next on="RC?" to="c"/><next on="*" to="b"/>)") +
                batchlet("b") + batchlet("c")));
    EXPECT_EQ(names(execution.id), (Lines{"a", "c"}));
    EXPECT_EQ(step(execution.id, "a").exit_status, "RC4");
}

TEST_F(Walk, EndFailAndStopEndTheJobWithTheirExitStatus) {
    answer({{"a", "X"}});
    const JobExecution ended =
        run(job(batchlet("a", "next=\"b\"", R"(<end on="X" exit-status="EARLY"/>)") + batchlet("b")));
    EXPECT_EQ(ended.status, BatchStatus::completed);
    EXPECT_EQ(ended.exit_status, "EARLY");
    const JobExecution failed = run(job(batchlet("a", "", R"(<fail on="X" exit-status="NO"/>)")));
    EXPECT_EQ(failed.status, BatchStatus::failed);
    EXPECT_EQ(failed.exit_status, "NO");
    ASSERT_TRUE(failed.failure) << "whoever looks wants to know why";
    EXPECT_EQ(failed.failure->message, R"("a" ended with "X", and its <fail> says so)");
    EXPECT_EQ(failed.failure->step, "a");
    EXPECT_EQ(step(failed.id, "a").status, BatchStatus::completed);
    const JobExecution stopped = run(job(batchlet("a", "", R"(<stop on="X" restart="b"/>)") + batchlet("b")));
    EXPECT_EQ(stopped.status, BatchStatus::stopped);
    EXPECT_EQ(stopped.exit_status, "STOPPED");
}

TEST_F(Walk, AFailedStepFailsTheJobUnlessAnElementMatches) {
    answer({{"a", "!"}});
    const JobExecution failed = run(job(batchlet("a", "next=\"b\"") + batchlet("b")));
    EXPECT_EQ(failed.status, BatchStatus::failed);
    EXPECT_EQ(failed.failure->message, "as told");
    EXPECT_EQ(names(failed.id), (Lines{"a"}));
    const JobExecution past = run(job(batchlet("a", "", R"(<next on="FAILED" to="b"/>)") + batchlet("b")));
    EXPECT_EQ(past.status, BatchStatus::completed);
    EXPECT_EQ(step(past.id, "a").status, BatchStatus::failed);
}

TEST_F(Walk, AStepReachedTwiceFailsTheJob) {  // §8.9.3
    answer({{"b", "BACK"}});
    const JobExecution execution =
        run(job(batchlet("a", "next=\"b\"") + batchlet("b", "", R"(<next on="BACK" to="a"/>)")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_NE(execution.failure->message.find("\"a\" was reached a second time"), std::string::npos);
}

TEST_F(Walk, RestartPassesCompletedStepsAndMeetsTodaysTransitions) {
    answer({{"a", "A1"}, {"b", "!"}});
    const JobExecution first = run(job(batchlet("a", "next=\"b\"") + batchlet("b")));
    answer({});
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(names(second.id), (Lines{"b"}));
    const auto walk = repository_->walk_of(second.id);
    ASSERT_EQ(walk.size(), 2U);
    EXPECT_EQ(walk[0].outcome, "passed");
    EXPECT_EQ(walk[1].outcome, "ran");
}

TEST_F(Walk, StopRestartSaysWhereTheNextExecutionBegins) {
    answer({{"a", "X"}});
    const JobDefinition definition =
        job(batchlet("a", "next=\"b\"", R"(<stop on="X" restart="c"/>)") + batchlet("b") + batchlet("c"));
    const JobExecution first = run(definition);
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(names(second.id), (Lines{"c"}));
}

TEST_F(Walk, AllowStartIfCompleteRunsTheChunkFromItsBeginning) {  // §8.2.1
    const std::string body =
        chunk(R"(item-count="3")", 5, "", "rows", R"(next="b" allow-start-if-complete="true")") + batchlet("b");
    answer({{"b", "!"}});
    const JobExecution first = run(job(body));
    EXPECT_EQ(first.status, BatchStatus::failed);
    answer({});
    const JobExecution second = restart(first.id);
    EXPECT_EQ(second.status, BatchStatus::completed);
    EXPECT_EQ(step(second.id).metrics.read, 5);
    EXPECT_EQ(written().size(), 10U);
    EXPECT_EQ(std::count(script().log.begin(), script().log.end(), "reader.open 0"), 2);
}

TEST_F(Walk, StartLimitCountsRealStarts) {  // §8.2, §10.8
    answer({{"a", "!"}});
    JobExecution execution = run(job(batchlet("a", "start-limit=\"2\"")));
    execution = restart(execution.id);
    EXPECT_EQ(execution.failure->message, "as told");
    execution = restart(execution.id);
    EXPECT_EQ(execution.status, BatchStatus::failed);
    EXPECT_EQ(execution.failure->error_class, "fermata.StartLimitExceeded");
    EXPECT_TRUE(names(execution.id).empty());
}

TEST_F(Walk, JobListenersFrameTheJobAndFailIt) {  // §8.1.2
    const std::string listeners = R"(<listeners><listener ref="recorder"/></listeners>)";
    script().on_call["afterJob"] = [](StepContext*, JobContext& context) { context.exit_status = "AFTER"; };
    const JobExecution framed = run(job(listeners + batchlet("a")));
    EXPECT_EQ(script().log, (Lines{"beforeJob", "afterJob"}));
    EXPECT_EQ(framed.exit_status, "AFTER");
    script().on_call["beforeJob"] = [](StepContext*, JobContext&) { throw Bad("before"); };
    const JobExecution before = run(job(listeners + batchlet("a")));
    EXPECT_EQ(before.status, BatchStatus::failed);
    EXPECT_TRUE(names(before.id).empty());
    script().on_call["beforeJob"] = nullptr;
    script().on_call.erase("beforeJob");
    script().on_call["afterJob"] = [](StepContext*, JobContext&) { throw Bad("after"); };
    EXPECT_EQ(run(job(listeners + batchlet("a"))).status, BatchStatus::failed);
}

struct Unmade : JobListener {
    Unmade() { throw Bad("cannot be made"); }
};

TEST_F(Walk, AJobListenerThatCannotBeMadeFailsTheJobAndNoneIsCalled) {
    registry_.listener<Unmade>("unmade");
    const JobExecution execution =
        run(job(R"(<listeners><listener ref="recorder"/><listener ref="unmade"/></listeners>)" + batchlet("a")));
    EXPECT_EQ(execution.status, BatchStatus::failed);
    ASSERT_TRUE(execution.failure);
    EXPECT_EQ(execution.failure->error_class, "test.Bad");
    EXPECT_EQ(execution.failure->message, "cannot be made");
    EXPECT_TRUE(script().log.empty());
    EXPECT_TRUE(names(execution.id).empty());
    EXPECT_EQ(restart(execution.id).status, BatchStatus::failed);
}

TEST_F(Walk, ExitStatusOfTheContextBeatsTheValueOfProcess) {
    script().on_batchlet = [](StepContext& step) {
        step.exit_status = "SET";
        return std::string("RETURNED");
    };
    const JobExecution execution = run(job(batchlet("a")));
    EXPECT_EQ(step(execution.id, "a").exit_status, "SET");
}

TEST_F(Walk, RestartIsRefusedInItsOwnWords) {  // §8.1, §10.8, §10.9.11
    answer({{"a", "!"}});
    const JobDefinition definition = job(batchlet("a"));
    const JobExecution first = run(definition);
    const JobExecution second = restart(first.id);
    EXPECT_THROW(restart(first.id), JobExecutionNotMostRecentException);
    answer({});
    const JobExecution third = restart(second.id);
    EXPECT_EQ(third.status, BatchStatus::completed);
    EXPECT_THROW(restart(third.id), JobExecutionAlreadyCompleteException);
    EXPECT_THROW(restart(JobExecutionId(4711)), NoSuchJobExecutionException);

    answer({{"a", "!"}});
    const JobExecution abandoned = run(definition);
    operator_->abandon(abandoned.id);
    EXPECT_THROW(restart(abandoned.id), JobRestartException);
    JobDefinition once = definition;
    once.restartable = Template::literal("false");
    EXPECT_THROW(restart(run(once).id), JobRestartException);
}

TEST_F(Walk, QueriesKnowTheirExceptions) {  // §10.9.11
    EXPECT_THROW((void)operator_->job_instance_count("nobody"), NoSuchJobException);
    EXPECT_THROW((void)operator_->job_instances("nobody", 0, 1), NoSuchJobException);
    EXPECT_THROW((void)operator_->running_executions("nobody"), NoSuchJobException);
    EXPECT_THROW((void)operator_->parameters(JobExecutionId(9)), NoSuchJobExecutionException);
    EXPECT_THROW((void)operator_->step_executions(JobExecutionId(9)), NoSuchJobExecutionException);
    EXPECT_THROW((void)operator_->job_executions(JobInstanceId(9)), NoSuchJobInstanceException);
    EXPECT_THROW(operator_->stop(JobExecutionId(9)), NoSuchJobExecutionException);
    EXPECT_THROW(operator_->abandon(JobExecutionId(9)), NoSuchJobExecutionException);
    const JobExecution done = run(job(batchlet("a")), {{"p", "1"}});
    EXPECT_THROW(operator_->stop(done.id), JobExecutionNotRunningException);
    EXPECT_THROW(operator_->recover(done.id), JobExecutionNotRunningException);
    EXPECT_EQ(operator_->parameters(done.id), (Parameters{{"p", "1"}}));
    EXPECT_EQ(operator_->job_names(), (Lines{"j"}));
    EXPECT_EQ(operator_->job_instance_count("j"), 1);
    EXPECT_EQ(operator_->job_executions(done.instance_id).size(), 1U);
    EXPECT_TRUE(operator_->running_executions("j").empty());
}

struct Demanding {
    std::string process() { return {}; }
};

TEST_F(Walk, StartTellsEverythingThatIsWrongAndLeavesNothing) {
    const JobDefinition definition =
        job(R"(<step id="s" next="x"><chunk item-count="0"><reader ref="numbrs"/><writer ref="rows"/></chunk></step>)");
    try {
        operator_->start(definition, {});
        FAIL() << "was started";
    } catch (const JobStartException& refused) {
        EXPECT_EQ(refused.kind(), ErrorKind::invalid);
        EXPECT_GE(refused.diagnostics().all().size(), 2U);
    }
    EXPECT_TRUE(repository_->find_executions({}).empty());
}

TEST_F(Walk, WhatIsWrongWithAJobBuiltByAProgramIsToldWithItsStep) {
    registry_.batchlet<Demanding>("demanding", {.properties = {{.name = "to", .type = "number", .required = true}}});
    const JobDefinition definition = fermata::job("j")
                                         .step(batchlet_step("first", "demanding").next("second"))
                                         .step(batchlet_step("second", "scriptd"))
                                         .build();
    try {
        operator_->start(definition, {});
        FAIL() << "was started";
    } catch (const JobStartException& refused) {
        ASSERT_EQ(refused.diagnostics().all().size(), 2U);
        EXPECT_EQ(refused.diagnostics().all()[0].message,
                  R"(step "first": batchlet "demanding": property "to" is missing)");
        EXPECT_TRUE(refused.diagnostics().all()[1].message.starts_with(R"(step "second": unknown batchlet "scriptd")"));
        EXPECT_EQ(refused.remedy().find("fermata validate"), std::string::npos) << "there is no file";
    }
}

TEST_F(Walk, ItemTypesThatDoNotFitAreToldBeforeTheFirstItem) {
    struct Words {
        using item_type = std::string;
        void write(std::span<std::string>, Transaction&) {}
    };
    registry_.writer<Words>("words");
    const Diagnostics found =
        validate(job(R"(<step id="s"><chunk><reader ref="numbers"/><writer ref="words"/></chunk></step>)"), registry_,
                 std::nullopt, {});
    ASSERT_EQ(found.all().size(), 1U);
    EXPECT_NE(found.all()[0].message.find("takes items of type"), std::string::npos);
}

TEST_F(Walk, AnInstanceKeyNamesOneInstance) {
    const JobDefinition definition = job(batchlet("a"));
    EXPECT_THROW(operator_->start(definition, {.instance_key = ""}), Error);
    const JobExecutionId id = operator_->start(definition, {.instance_key = "2026-11-21"});
    (void)operator_->wait(id);
    try {
        operator_->start(definition, {.instance_key = "2026-11-21"});
        FAIL() << "was started twice";
    } catch (const JobStartException& refused) {
        EXPECT_EQ(refused.kind(), ErrorKind::conflict);
    }
}

}  // namespace
}  // namespace fermata::test
