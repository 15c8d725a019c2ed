// Flows and splits: what leads into and out of them, and whose contexts are whose.
#include "suite.hpp"

namespace fermata::tck {
namespace {

class FlowTransitioningTests : public Suite {};

TEST_F(FlowTransitioningTests, testFlowTransitionToStep) {
    expect_end(run("flow_transition_to_step"), BatchStatus::completed, "flow1step1, flow1step2, flow1step3, step1");
}
TEST_F(FlowTransitioningTests, testFlowTransitionToDecision) {
    expect_end(run("flow_transition_to_decision"), BatchStatus::completed, "ThatsAllFolks");
}
TEST_F(FlowTransitioningTests, testFlowTransitionWithinFlow) {
    expect_end(run("flow_transition_within_flow"), BatchStatus::completed, "flow1step1, flow1step2, flow1step3");
}

class SplitTransitioningTests : public Suite {};

TEST_F(SplitTransitioningTests, testSplitTransitionToStep) {
    expect_end(run("split_transition_to_step"), BatchStatus::completed, "step1");
}
TEST_F(SplitTransitioningTests, testSplitTransitionToStepOutOfScope) {
    expect_refused("split_transition_to_step_out_of_scope");
}

}  // namespace
}  // namespace fermata::tck
