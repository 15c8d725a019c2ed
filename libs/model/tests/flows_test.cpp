// Flows, splits, decisions and partitions: checks, resolution, and how they are printed.
#include "jobs.hpp"

#include <fermata/base/error.hpp>
#include <fermata/model/builder.hpp>
#include <fermata/model/graph.hpp>

#include <fmt/format.h>
#include <gmock/gmock.h>

namespace fermata {
namespace {

using namespace testing_model;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

StepDefinition leading(const std::string& id, const std::string& next, int line = 0) {
    StepDefinition step = batchlet_step(id, line);
    step.next = text(next, {line, 20});
    return step;
}
FlowDefinition flow_of(const std::string& id, std::vector<ElementDefinition> elements, int line = 0) {
    return {.id = id, .elements = std::move(elements), .at = {line, 3}};
}
SplitDefinition split_of(const std::string& id, std::vector<FlowDefinition> flows, int line = 0) {
    return {.id = id, .flows = std::move(flows), .at = {line, 3}};
}
DecisionDefinition decision_of(const std::string& id, int line = 0) {
    return {.id = id, .decider = artifact("d"), .at = {line, 3}};
}
StepDefinition partitioned(const Pairs& of_batchlet, PartitionDefinition partition) {
    StepDefinition step = batchlet_step("s");
    step.work = BatchletDefinition{artifact("b", of_batchlet)};
    step.partition = std::move(partition);
    return step;
}

// ---- where transitions may lead

TEST(Scopes, TransitionsStayInTheirFlow) {
    EXPECT_THAT(
        told(job_of({flow_of("f", {leading("a", "b", 3)}, 2), batchlet_step("b", 5)})),
        Contains("job.xml:3:20: error: step \"a\": next=\"b\" leads from flow \"f\" into this job, but transitions "
                 "stay among the elements of one job or flow"));
    EXPECT_THAT(told(job_of({leading("a", "b", 2), flow_of("f", {batchlet_step("b", 4)}, 3)})),
                Contains(HasSubstr("next=\"b\" leads from this job into flow \"f\"")));
    EXPECT_THAT(told(job_of({flow_of("f", {leading("a", "reprot", 3), batchlet_step("report", 4)})})),
                Contains(HasSubstr("next=\"reprot\" names nothing in flow \"f\"; did you mean \"report\"?")));
    FlowDefinition flow = flow_of("f", {leading("a", "b"), batchlet_step("b")});
    flow.next = text("c");
    EXPECT_THAT(told(job_of({flow, batchlet_step("c")})), IsEmpty());
}

TEST(Scopes, IdsAreUniqueInTheWholeJob) {
    EXPECT_THAT(told(job_of({flow_of("f", {batchlet_step("f", 3)}, 2)})),
                Contains("job.xml:3:3: error: step id \"f\" is used twice"));
}

TEST(Scopes, ADecisionCannotComeFirst) {
    EXPECT_THAT(
        told(job_of({decision_of("d", 2)})),
        ElementsAre("job.xml:2:3: error: decision \"d\" comes first in this job, but a decision follows what it "
                    "decides about"));
    EXPECT_THAT(told(job_of({flow_of("f", {decision_of("d", 3)}, 2)})), ElementsAre(HasSubstr("comes first in flow")));
}

TEST(Scopes, EmptyFlowsAndSplitsAreErrors) {
    EXPECT_THAT(told(job_of({flow_of("f", {}, 2)})), ElementsAre("job.xml:2:3: error: flow \"f\": it has no step"));
    EXPECT_THAT(told(job_of({split_of("s", {}, 2)})), ElementsAre("job.xml:2:3: error: split \"s\": it has no flow"));
}

TEST(Scopes, TheFlowsOfASplitLeadNowhere) {
    FlowDefinition flow = flow_of("f", {batchlet_step("a")});
    flow.next = text("g", {4, 9});
    flow.transitions = {next_on("X", "g", 5)};
    EXPECT_THAT(
        told(job_of({split_of("s", {flow, flow_of("g", {batchlet_step("b")})}, 2)})),
        Contains(HasSubstr("flow \"f\": it leads nowhere, since all flows of a split begin together")).Times(2));
    flow.next.reset();
    flow.transitions = {{.kind = TransitionDefinition::Kind::end, .on = text("*")}};
    EXPECT_THAT(told(job_of({split_of("s", {flow})})), IsEmpty());
}

TEST(Scopes, AJobRestartsAtOneOfItsOwnElements) {
    StepDefinition step = batchlet_step("a");
    step.transitions = {{.kind = TransitionDefinition::Kind::stop, .on = text("W"), .restart = text("b", {4, 20})}};
    EXPECT_THAT(
        told(job_of({flow_of("f", {step, batchlet_step("b")})})),
        Contains("job.xml:4:20: error: step \"a\": stop on=\"W\" restart=\"b\" names an element of flow \"f\", but a "
                 "job restarts at one of its own"));
    EXPECT_THAT(told(job_of({flow_of("f", {step}), decision_of("b")})), IsEmpty());
}

TEST(Scopes, UnreachedElementsAndLoopsAreFoundInEachFlow) {
    EXPECT_THAT(told(job_of({flow_of("f", {batchlet_step("a"), decision_of("d", 4)})})),
                ElementsAre("job.xml:4:3: warning: decision \"d\" is never reached; a decision does not follow the one "
                            "before it without next=\"d\" there"));
    EXPECT_THAT(told(job_of({flow_of("f", {leading("a", "b"), leading("b", "a")})})),
                Contains(HasSubstr("closes a cycle that never ends: \"a\" -> \"b\" -> \"a\"")));
}

// ---- partitionPlan

TEST(Plan, WhatDependsOnItIsResolvedInEachPartition) {
    auto step = partitioned({{"file", "in/#{partitionPlan['n']}.csv"}, {"same", "#{jobParameters['x']}"}}, {});
    step.properties = properties({{"of-step", "#{partitionPlan['n']}"}, {"twice", "<#{jobProperties['of-step']}>"}});
    const auto job = resolved(job_of({step}), {{"x", "1"}});
    const ResolvedStep& made = step_at(job, 0);
    ASSERT_TRUE(made.partition->uses_plan);
    const auto& open = std::get<ResolvedBatchlet>(made.work).batchlet.properties;
    EXPECT_TRUE(open[0].of_plan);
    EXPECT_EQ(open[0].value.str(), "in/#{partitionPlan['n']}.csv");
    EXPECT_FALSE(open[1].of_plan);
    EXPECT_TRUE(made.properties[1].of_plan);

    const auto resolution = resolve_partition(made, {{"n", "7"}});
    ASSERT_TRUE(resolution.step);
    EXPECT_EQ(std::get<ResolvedBatchlet>(resolution.step->work).batchlet.properties[0].value.str(), "in/7.csv");
    EXPECT_EQ(std::get<ResolvedBatchlet>(resolution.step->work).batchlet.properties[1].value.str(), "1");
    EXPECT_EQ(resolution.step->properties[1].value.str(), "<7>");
    EXPECT_EQ(std::get<ResolvedBatchlet>(resolve_partition(made, {}).step->work).batchlet.properties[0].value.str(),
              "in/.csv");
}

TEST(Plan, AnAttributeThatDependsOnItIsJudgedInThePartition) {
    auto step = chunk_step("s", {.item_count = text("#{partitionPlan['n']}")});
    step.partition.emplace();
    const auto job = resolved(job_of({step}));
    EXPECT_THAT(texts_of(resolve_partition(step_at(job, 0), {{"n", "none"}}).diagnostics),
                ElementsAre(HasSubstr("item-count=\"none\" (from #{partitionPlan['n']}) is not a whole number")));
    EXPECT_EQ(std::get<ResolvedChunk>(resolve_partition(step_at(job, 0), {{"n", "5"}}).step->work).item_count, 5);
}

TEST(Plan, ItHasNoValuesInMappersReducersAndTransitions) {
    PartitionDefinition partition;
    partition.mapper = artifact("m", {{"p", "#{partitionPlan['n']}"}});
    EXPECT_THAT(told(job_of({partitioned({}, partition)})),
                ElementsAre(HasSubstr("partitionPlan['n'] has values only")));
    auto step = partitioned({}, PartitionDefinition{});
    step.transitions = {next_on("#{partitionPlan['n']}", "s")};
    EXPECT_THAT(told(job_of({step})), Contains(HasSubstr("partitionPlan['n'] has values only")));
}

TEST(Plan, ItsNumbersAndPropertiesAreChecked) {
    PartitionDefinition partition;
    partition.plan.emplace();
    partition.plan->partitions = text("2", {3, 9});
    partition.plan->threads = text("0", {4, 9});
    partition.plan->properties.push_back({text("2", {5, 9}), properties({{"a", "b"}}), {5, 1}});
    partition.plan->properties.push_back({text("x", {6, 9}), {}, {6, 1}});
    EXPECT_THAT(
        told(job_of({partitioned({}, partition)})),
        ElementsAre("job.xml:4:9: error: step \"s\": threads=\"0\" must be at least 1",
                    "job.xml:5:9: warning: step \"s\": partition=\"2\": the plan has 2 partitions, counted from "
                    "0; these properties are not used",
                    "job.xml:6:9: error: step \"s\": partition=\"x\" is not a whole number"));
    partition.plan->partitions = text("1000001");
    EXPECT_THAT(told(job_of({partitioned({}, partition)})), Contains(HasSubstr("is too large, at most 1000000")));
}

// ---- the builder says what the XML would say, and all of it is printed

JobDefinition nested() {
    return job("night")
        .step(batchlet_step("a", "b").next("d").start_limit(2).allow_start_if_complete(true))
        .decision(decision("d", "expression", {{"when.X", "read > 0"}})
                      .on("X", "f")
                      .end_on("E", "EARLY")
                      .fail_on("F")
                      .stop_on("S", "LATER", "a"))
        .flow(flow("f")
                  .step(batchlet_step("g", "b").end_on("E").fail_on("F").stop_on("S").next("h"))
                  .step(batchlet_step("h", "b"))
                  .next("s")
                  .on("Z", "z"))
        .split(split("s")
                   .flow(flow("s1").step(batchlet_step("p", "b")
                                             .partitions(2, {{{"n", "0"}}, {{"n", "1"}}}, 1)
                                             .collector("co")
                                             .analyzer("an")
                                             .reducer("re")))
                   .flow(flow("s2").split(split("t").flow(flow("t1").flow(flow("t2").step(batchlet_step("q", "b"))))))
                   .next("z"))
        .step(batchlet_step("z", "b").mapper("m", {{"k", "v"}}).for_workers().turn("250ms"))
        .build();
}

TEST(Partitions, AreForAnyWorkerOrNone) {
    PartitionDefinition partition;
    EXPECT_FALSE(step_at(resolved(job_of({partitioned({}, partition)})), 0).partition->for_workers);
    partition.workers = text("none");
    EXPECT_FALSE(step_at(resolved(job_of({partitioned({}, partition)})), 0).partition->for_workers);
    partition.workers = text("any");
    EXPECT_TRUE(step_at(resolved(job_of({partitioned({}, partition)})), 0).partition->for_workers);
    partition.workers = text("two", {3, 9});
    EXPECT_THAT(told(job_of({partitioned({}, partition)})),
                ElementsAre("job.xml:3:9: error: step \"s\": fer:workers=\"two\" is neither \"any\" nor \"none\""));
}

TEST(Partitions, TakeTurnsOnTheSlotsOfWorkers) {
    PartitionDefinition partition;
    partition.workers = text("any");
    partition.turn = text("1m500ms");
    EXPECT_EQ(std::chrono::milliseconds(60'500),
              step_at(resolved(job_of({partitioned({}, partition)})), 0).partition->turn);
    for (const char* wrong : {"2", "0s", "soon", ""}) {
        partition.turn = text(wrong, {3, 9});
        EXPECT_THAT(told(job_of({partitioned({}, partition)})),
                    ElementsAre(fmt::format("job.xml:3:9: error: step \"s\": fer:turn=\"{}\" is no duration such as "
                                            "2s, 500ms or 1m",
                                            wrong)));
    }
    partition.turn = text("2s", {3, 9});
    partition.workers.reset();
    EXPECT_THAT(told(job_of({partitioned({}, partition)})),
                ElementsAre("job.xml:3:9: error: step \"s\": fer:turn=\"2s\" without fer:workers: only partitions that "
                            "workers claim take turns"));
}

TEST(Nested, IsStoredAndReadBack) {
    const JobDefinition job = nested();
    EXPECT_EQ(to_json(job_definition_from_json(to_json(job))), to_json(job));
    EXPECT_THAT(told(job), IsEmpty());
    EXPECT_EQ(steps_of(job.elements).size(), 6U);
    EXPECT_NE(job.find("q"), nullptr);
}

TEST(Nested, IsDescribed) {
    const std::string text = describe(resolved(nested()));
    EXPECT_THAT(
        text,
        HasSubstr("  decision \"d\"\n    decider \"expression\"\n      property when.X = \"read > 0\"\n    on "
                  "\"X\": next \"f\"\n    on \"E\": end, exit status \"EARLY\"\n    on \"F\": fail\n    on \"S\": "
                  "stop, exit status \"LATER\", restart at \"a\"\n    otherwise: the job ends\n"));
    EXPECT_THAT(text, HasSubstr("  flow \"f\"\n    step \"g\"\n"));
    EXPECT_THAT(text, HasSubstr("    on \"Z\": next \"z\"\n    otherwise: next \"s\"\n"));
    EXPECT_THAT(text,
                HasSubstr("        partition\n          partitions: 2, at most 1 at once\n          partition 0: n = "
                          "\"0\"\n          partition 1: n = \"1\"\n          collector \"co\"\n          analyzer "
                          "\"an\"\n          reducer \"re\"\n        then: the flow ends\n"));
    EXPECT_THAT(text, HasSubstr("    partition, for any worker, in turns of 0.25s\n      mapper \"m\"\n        "
                                "property k = \"v\"\n    then: the job ends\n"));
}

TEST(Nested, IsDrawn) {
    EXPECT_EQ(graph_text(nested()), R"(night
  a
    -> d
  decision d
    X -> f
    E -> COMPLETED (EARLY)
    F -> FAILED
    S -> STOPPED (LATER)
    S -> restart at a
    otherwise -> COMPLETED
  flow f
    g
      E -> COMPLETED
      F -> FAILED
      S -> STOPPED
      otherwise -> h
    h
      -> end of f
    Z -> z
    otherwise -> s
  split s
    flow s1
      p, partitioned
        -> end of s1
      -> end of s
    flow s2
      split t
        flow t1
          flow t2
            q
              -> end of t2
            -> end of t1
          -> end of t
        -> end of s2
      -> end of s
    -> z
  z, partitioned
    -> COMPLETED
)");
    const std::string dot = graph_dot(nested());
    EXPECT_THAT(dot, HasSubstr("    \"decision d\" [label=\"d\", shape=diamond];\n"));
    EXPECT_THAT(dot, HasSubstr("    subgraph \"cluster f\" {\n    label=\"f\";\n"));
    EXPECT_THAT(dot, HasSubstr("    \"step p\" [label=\"p\", peripheries=2];\n"));
    EXPECT_THAT(dot, HasSubstr("    \"step q\" [label=\"q\"];\n"));
    EXPECT_THAT(dot, HasSubstr("    \"flow f\" -> \"step g\";\n"));
    EXPECT_THAT(dot, HasSubstr("    \"step h\" -> \"end of flow f\";\n"));
    EXPECT_THAT(dot, HasSubstr("    \"end of flow f\" -> \"step z\" [label=\"Z\"];\n"));
    EXPECT_THAT(dot, HasSubstr("    \"split s\" -> \"flow s1\";\n"));
    EXPECT_THAT(dot, HasSubstr("    \"end of flow s2\" -> \"end of split s\";\n"));
    EXPECT_THAT(dot, HasSubstr("    \"end of split s\" -> \"step z\";\n"));
}

TEST(Nested, IsAPicture) {
    const std::string svg = graph_svg(nested());
    EXPECT_THAT(svg, testing::StartsWith("<svg xmlns=\"http://www.w3.org/2000/svg\" width="));
    EXPECT_THAT(svg, testing::EndsWith("</svg>\n"));
    for (const char* id : {"a", "d", "f", "g", "h", "s", "s1", "p", "s2", "t", "t1", "t2", "q", "z"})
        EXPECT_THAT(svg, HasSubstr(std::string(">") + id + "</text>"));
    EXPECT_THAT(svg, HasSubstr(">E → COMPLETED (EARLY)</text>"));
    EXPECT_THAT(svg, HasSubstr("stroke-dasharray=\"4 3\""));
    const auto steps = [](const std::string& text) {
        std::size_t count = 0;
        for (std::size_t at = 0; (at = text.find("<rect class=\"step\"", at)) != std::string::npos; ++at) ++count;
        return count;
    };
    EXPECT_EQ(steps(svg), 6U + 2U) << "partitioned ones twice";
    const std::string paused =
        graph_svg(job("j").flow(flow("f").step(batchlet_step("s", "b").pause_on("W", {.point = "p"}))).build());
    EXPECT_THAT(paused, HasSubstr(">W pause at p → end of f</text>"));
    EXPECT_EQ(graph_svg(job_of({batchlet_step("a<&b")})).find("a<&b"), std::string::npos);
}

TEST(Nested, ABuilderKnowsWhatCannotBe) {
    EXPECT_THROW((void)job("j").step(batchlet_step("s", "b").partitions(2).mapper("m")).build(), Error);
    EXPECT_THROW((void)job("j").flow(flow("f").step(fermata::chunk_step("s", 10).reader("r"))).build(), Error);
}

}  // namespace
}  // namespace fermata
