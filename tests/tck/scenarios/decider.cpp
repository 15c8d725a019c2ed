// Decisions: after a step, a flow, a split, inside a flow, and over restarts.
#include "suite.hpp"

#include <fermata/base/text.hpp>

#include <algorithm>
#include <set>

namespace fermata::tck {
namespace {

class DeciderTests : public Suite {
protected:
    /// The decider says "1:<action>Normal", or Special where the step's exit status is the special one.
    JobExecution decide(const std::string& action, const std::string& value) {
        return run("job_decider_incompleterun",
                   {{"action", action}, {"actualValue", value}, {"SpecialExitStatus", "the special value"}});
    }

    static Parameters transitions(const std::string& allow_start, bool is_restart = false) {
        return {{"allow.start.if.complete", allow_start},
                {"is.restart", is_restart ? "true" : "false"},
                {"stop.job.after.this.step", "none"},
                {"fail.job.after.this.step", "none"},
                {"step.complete.but.force.job.stopped.status", "STEP_COMPLETE_BUT_FORCE_JOB_STOPPED_STATUS"},
                {"step.complete.but.force.job.failed.status", "STEP_COMPLETE_BUT_FORCE_JOB_FAILED_STATUS"}};
    }
    /// The job stops at the decision after `step`, which is number `decision`, and goes on after a restart. Steps run
    /// again or not; decisions do.
    void stop_then_restart(const std::string& step, int decision, const std::string& allow_start) {
        Parameters stopping = transitions(allow_start);
        stopping["stop.job.after.this.step"] = step;
        const JobExecution stopped = run("decider_transitions_on_restart", stopping);
        expect_end(stopped, BatchStatus::stopped,
                   std::to_string(decision) + ":STEP_COMPLETE_BUT_FORCE_JOB_STOPPED_STATUS");
        EXPECT_EQ(steps_of(stopped).size(), static_cast<std::size_t>(decision));

        const JobExecution completed = restart(stopped, transitions(allow_start, true));
        expect_end(completed, BatchStatus::completed, "3:flow1step2_CONTINUE");
        EXPECT_EQ(steps_of(completed).size(), allow_start == "true" ? 3U : 3U - static_cast<std::size_t>(decision));
    }

    using Ids = std::set<std::string>;
    /// The ids the decider was handed, which are the job's exit status.
    static Ids ids_of(const JobExecution& execution) {
        const auto ids = split(execution.exit_status.value_or(""), ',');
        return {ids.begin(), ids.end()};
    }
};

TEST_F(DeciderTests, testDeciderEndNormal) {
    expect_end(decide("End", "any value"), BatchStatus::completed, "EndNormal");
}
TEST_F(DeciderTests, testDeciderEndSpecial) {
    expect_end(decide("End", "the special value"), BatchStatus::completed, "EndSpecial");
}
TEST_F(DeciderTests, testDeciderStopNormal) {
    expect_end(decide("Stop", "any value"), BatchStatus::stopped, "StopNormal");
}
TEST_F(DeciderTests, testDeciderStopSpecial) {
    expect_end(decide("Stop", "the special value"), BatchStatus::stopped, "StopSpecial");
}
TEST_F(DeciderTests, testDeciderFailNormal) {
    expect_end(decide("Fail", "any value"), BatchStatus::failed, "FailNormal");
}
TEST_F(DeciderTests, testDeciderFailSpecial) {
    expect_end(decide("Fail", "the special value"), BatchStatus::failed, "FailSpecial");
}
TEST_F(DeciderTests, testDeciderNextNormal) {
    const JobExecution execution = run("job_decider_completerun", {{"action", "Next"}, {"actualValue", "any value"}});
    expect_end(execution, BatchStatus::completed, "JOB:ES:Good");
    EXPECT_EQ(steps_of(execution).size(), 2U);
}
TEST_F(DeciderTests, testDeciderNextSpecial) {
    const JobExecution execution = run("job_decider_completerun", {{"action", "Next"}, {"actualValue", "NextSpecial"}});
    expect_end(execution, BatchStatus::completed, "JOB:ES:Good");
    EXPECT_EQ(steps_of(execution).size(), 2U);
}

TEST_F(DeciderTests, testDeciderExitStatusIsSetOnJobContext) {
    Parameters failing = transitions("true");
    failing["fail.job.after.this.step"] = "step1";
    expect_end(run("decider_transitions_on_restart", failing), BatchStatus::failed,
               "1:STEP_COMPLETE_BUT_FORCE_JOB_FAILED_STATUS");
}

TEST_F(DeciderTests, testDeciderCannotbeFirstElementOnStart) { expect_refused("decider_as_first_job_element_fails"); }

TEST_F(DeciderTests, testDeciderTransitionFromStepAndAllowRestart) { stop_then_restart("step1", 1, "true"); }
TEST_F(DeciderTests, testDeciderTransitionFromStepWithinFlowAndAllowRestart) {
    stop_then_restart("flow1step1", 2, "true");
}
TEST_F(DeciderTests, testDeciderTransitionFromFlowAndAllowRestart) { stop_then_restart("flow1step2", 3, "true"); }
TEST_F(DeciderTests, testDeciderTransitionFromStepAndAllowRestartFalse) { stop_then_restart("step1", 1, "false"); }
TEST_F(DeciderTests, testDeciderTransitionFromStepWithinFlowAndAllowRestartFalse) {
    stop_then_restart("flow1step1", 2, "false");
}
TEST_F(DeciderTests, testDeciderTransitionFromFlowAndAllowRestartFalse) { stop_then_restart("flow1step2", 3, "false"); }

// --- deleted upstream, their job XML is still there

TEST_F(DeciderTests, testDeciderReceivesCorrectStepExecutionAfterStep) {
    for (const bool again : {false, true}) {
        SCOPED_TRACE(again ? "allow-start-if-complete" : "started once");
        Parameters parameters = {{"allow.start.if.complete", again ? "true" : "false"}, {"decider.stop.on", "*"}};
        const JobExecution stopped = run("decider_receives_correct_step_execution_after_step", parameters);
        expect_status(stopped, BatchStatus::stopped);
        EXPECT_EQ(ids_of(stopped), Ids{std::to_string(only_step_of(stopped).id.value())});

        parameters["decider.stop.on"] = "never";
        const JobExecution completed = restart(stopped, parameters);
        expect_status(completed, BatchStatus::completed);
        EXPECT_EQ(ids_of(completed) == ids_of(stopped), !again);
    }
}

TEST_F(DeciderTests, testDeciderReceivesCorrectStepExecutionsAfterSplit) {
    const struct {
        const char* first;
        const char* second;
        int kept;
    } cases[] = {{"false", "false", 2}, {"true", "true", 0}, {"true", "false", 1}};
    for (const auto& [first, second, kept] : cases) {
        SCOPED_TRACE(kept);
        Parameters parameters = {{"split1flow1step1.allow.start.if.complete", first},
                                 {"split1flow2step1.allow.start.if.complete", second},
                                 {"decider.stop.on", "*"}};
        const JobExecution stopped = run("decider_receives_correct_step_executions_after_split", parameters);
        expect_status(stopped, BatchStatus::stopped);

        parameters["decider.stop.on"] = "never";
        const JobExecution completed = restart(stopped, parameters);
        expect_status(completed, BatchStatus::completed);
        const Ids before = ids_of(stopped);
        const auto is_kept = [&](const std::string& id) { return before.contains(id); };
        EXPECT_EQ(std::ranges::count_if(ids_of(completed), is_kept), kept);
        EXPECT_EQ(steps_of(completed).size(), 3U - static_cast<std::size_t>(kept));
    }
}

}  // namespace
}  // namespace fermata::tck
