// Batchlets whose result is an exit status.
#include "../stage.hpp"
#include "artifact.hpp"
#include "artifacts.hpp"

namespace fermata::tck {
namespace {

/// The batchlet most jobs are made of.
class VeryGood : Artifact {
public:
    explicit VeryGood(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        append_to_job_exit_status("UnusedExitStatusForPartitions");
        return "VERY GOOD INVOCATION";
    }
};

class DoNothing {
public:
    static std::string process() { return ""; }
};

class UsingStepContext : Artifact {
public:
    explicit UsingStepContext(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        step().exit_status = "VERY GOOD INVOCATION";
        step().persistent_user_data = "persistent";
        step().transient_user_data = std::string("transient");
        set_job_exit_status("JOB: " + *step().exit_status);
        return *step().exit_status;
    }
};

/// Runs until it is stopped, or throws, or is done at once.
class LongRunning : Artifact {
public:
    explicit LongRunning(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        if (flag("throw.exc.on.number.3")) throw std::runtime_error("thrown on purpose");
        if (flag("run.indefinitely")) {
            stage().running.arrive();
            stopped_.wait_until_open();
            set_job_exit_status("BATCHLET STOPPED");
            return "STOPPED ON REQUEST";
        }
        const std::string before = job().exit_status ? *job().exit_status + "." : "";
        set_job_exit_status(before + "GOOD.STEP");
        return "GOOD";
    }
    void stop() { stopped_.open(); }

private:
    Gate stopped_;
};

/// Fails in the first execution.
class JobAttributes : Artifact {
public:
    explicit JobAttributes(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        if (number("execution.number", 1) == 1) throw std::runtime_error("the first execution fails");
        return "DONE";
    }
};

/// "step1, step2": which steps ran, as far as their JobContext is one.
class TransitionTracker : Artifact {
public:
    explicit TransitionTracker(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        const std::string before = job().exit_status ? *job().exit_status + ", " : "";
        set_job_exit_status(before + step().step_name);
        return "VERY GOOD INVOCATION";
    }
};

/// The same through the transient user data of the job.
class TransientTracker : Artifact {
public:
    explicit TransientTracker(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        const auto* before = std::any_cast<std::string>(&job().transient_user_data);
        const std::string all = (before != nullptr ? *before + ", " : "") + step().step_name;
        job().transient_user_data = all;
        set_job_exit_status(all);
        return "VERY GOOD INVOCATION";
    }
};

class PlainVeryGood {
public:
    static std::string process() { return "VERY GOOD INVOCATION"; }
};

/// Gives the decider what it decides on: the action by the job's transient user data, the value as exit status.
class ForDecider : Artifact {
public:
    explicit ForDecider(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        job().transient_user_data = text("action");
        step().persistent_user_data = "for the decider";
        return text("actualValue");
    }
};

/// Its exit status lets the job go on, or asks for its end.
class MultipleExitStatus : Artifact {
public:
    explicit MultipleExitStatus(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        if (text("stop.job.after.this.step") == step().step_name)
            return text("step.complete.but.force.job.stopped.status");
        if (text("fail.job.after.this.step") == step().step_name)
            return text("step.complete.but.force.job.failed.status");
        return step().step_name + "_CONTINUE";
    }
};

}  // namespace

void add_batchlets(Registry& registry) {
    registry.batchlet<VeryGood>("myBatchletImpl");
    registry.batchlet<VeryGood>("com.ibm.jbatch.tck.artifacts.reusable.MyBatchletImpl");
    registry.batchlet<DoNothing>("doNothingBatchlet");
    registry.batchlet<UsingStepContext>("batchletUsingStepContextImpl");
    registry.batchlet<LongRunning>("myLongRunningBatchlet");
    registry.batchlet<JobAttributes>("jobAttributesTestBatchlet");
    registry.batchlet<TransitionTracker>("transitionTrackerBatchlet");
    registry.batchlet<TransientTracker>("flowTransitionWithinFlowTestBatchlet");
    registry.batchlet<TransientTracker>("splitTransitionToStepTestBatchlet");
    registry.batchlet<PlainVeryGood>("splitTransitionToDecisionTestBatchlet");
    registry.batchlet<PlainVeryGood>("flowTransitionToDecisionTestBatchlet");
    registry.batchlet<ForDecider>("deciderTestsBatchlet");
    registry.batchlet<MultipleExitStatus>("multipleExitStatusBatchlet");
}

}  // namespace fermata::tck
