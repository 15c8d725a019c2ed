// Deciders: what they are handed, and what becomes of their answers.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace fermata::tck {
namespace {

void require_count(std::span<const StepExecution> steps, std::size_t count) {
    require_equal("the number of step executions", steps.size(), count);
}

/// The action the batchlet left in the job's transient data, Special if its exit status is the special one.
class ByExitStatus : public Decider, Artifact {
public:
    explicit ByExitStatus(const ArtifactContext& context) : Artifact(context) {}
    std::string decide(std::span<const StepExecution> steps) override {
        require_count(steps, 1);
        const StepExecution& step = steps.front();
        if (step.status != BatchStatus::completed || step.user_data != "for the decider")
            throw Unexpected("the step execution is not that of the batchlet");
        const auto action = std::any_cast<std::string>(job().transient_user_data);
        const bool special = step.exit_status == text("SpecialExitStatus");
        return fmt::format("{}:{}{}", steps.size(), action, special ? "Special" : "Normal");
    }
};

/// Counts the decisions of its execution and hands the step's exit status on; after a restart the job shall go on.
class Transition : public Decider, Artifact {
public:
    explicit Transition(const ArtifactContext& context) : Artifact(context) {}
    std::string decide(std::span<const StepExecution> steps) override {
        require_count(steps, 1);
        const auto* before = std::any_cast<int>(&job().transient_user_data);
        const int decisions = (before != nullptr ? *before : 0) + 1;
        job().transient_user_data = decisions;
        const StepExecution& step = steps.front();
        return fmt::format("{}:{}", decisions, flag("is.restart") ? step.name + "_CONTINUE" : *step.exit_status);
    }
};

class AfterFlow : public Decider {
public:
    std::string decide(std::span<const StepExecution> steps) override {
        require_count(steps, 1);
        return "DECIDER_EXIT_STATUS: " + *steps.front().exit_status;
    }
};

/// "7,9": the ids of the step executions.
class TellIds : public Decider, Artifact {
public:
    explicit TellIds(const ArtifactContext& context) : Artifact(context) {}
    std::string decide(std::span<const StepExecution> steps) override {
        require_count(steps, static_cast<std::size_t>(number("expected.number.of.step.executions", 0)));
        std::vector<std::int64_t> ids;
        for (const StepExecution& step : steps) ids.push_back(step.id.value());
        std::ranges::sort(ids);
        return fmt::format("{}", fmt::join(ids, ","));
    }
};

}  // namespace

void add_deciders(Registry& registry) {
    registry.decider<ByExitStatus>("deciderTestsDecider");
    registry.decider<Transition>("transitionDecider");
    registry.decider<AfterFlow>("flowTransitionToDecisionTestDecider");
    registry.decider<TellIds>("deciderReceivesCorrectStepExecutionsDecider");
}

}  // namespace fermata::tck
