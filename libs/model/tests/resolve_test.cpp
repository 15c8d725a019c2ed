#include "jobs.hpp"

#include <gmock/gmock.h>

namespace fermata {
namespace {

using namespace testing_model;
using testing::ElementsAre;
using testing::IsEmpty;

// ---- values

JobDefinition job_with_properties(const Pairs& job_level, const Pairs& step_level, const Pairs& artifact_level) {
    auto step = batchlet_step("s");
    step.properties = properties(step_level);
    step.work = BatchletDefinition{artifact("b", artifact_level)};
    auto job = job_of({step});
    job.properties = properties(job_level);
    return job;
}

const ResolvedProperties& artifact_properties(const ResolvedJob& job) {
    return std::get<ResolvedBatchlet>(step_at(job, 0).work).batchlet.properties;
}

std::string value_of(const ResolvedProperties& properties, std::string_view name) {
    for (const auto& property : properties) {
        if (property.name == name) return property.value.str();
    }
    return "<none>";
}

TEST(Resolve, ParametersAndSystemPropertiesComeFromTheirOwnMaps) {
    const auto job = job_with_properties({}, {},
                                         {{"a", "#{jobParameters['x']}"},
                                          {"b", "#{systemProperties['x']}"},
                                          {"c", "<#{systemProperties['unknown']}>"},
                                          {"d", "#{jobParameters['empty']}?:default;"}});
    const auto result = resolved(job, {{"x", "parameter"}, {"empty", ""}}, {{"x", "system"}});
    EXPECT_EQ(value_of(artifact_properties(result), "a"), "parameter");
    EXPECT_EQ(value_of(artifact_properties(result), "b"), "system");
    EXPECT_EQ(value_of(artifact_properties(result), "c"), "<>");
    EXPECT_EQ(value_of(artifact_properties(result), "d"), "default");
}

TEST(Resolve, JobPropertiesAreSearchedFromTheInnermostScopeOutward) {
    const auto result = resolved(job_with_properties({{"in-job", "1"}, {"everywhere", "job"}},
                                                     {{"everywhere", "step"}, {"up", "#{jobProperties['in-job']}"}},
                                                     {{"from-job", "#{jobProperties['in-job']}"},
                                                      {"from-step", "#{jobProperties['everywhere']}"},
                                                      {"everywhere", "artifact"},
                                                      {"from-sibling", "#{jobProperties['everywhere']}"}}));
    EXPECT_EQ(value_of(step_at(result, 0).properties, "up"), "1");
    EXPECT_EQ(value_of(artifact_properties(result), "from-job"), "1");
    EXPECT_EQ(value_of(artifact_properties(result), "from-step"), "step");
    EXPECT_EQ(value_of(artifact_properties(result), "from-sibling"), "artifact");
}

TEST(Resolve, OnlyEarlierPropertiesCount) {
    const auto job = job_with_properties({{"a", "#{jobProperties['later']}"}, {"later", "x"}}, {}, {});
    const auto resolution = resolve(job, {}, {});
    ASSERT_TRUE(resolution.job);
    EXPECT_EQ(value_of(resolution.job->properties, "a"), "");
    EXPECT_THAT(
        texts_of(resolution.diagnostics),
        ElementsAre("job.xml: warning: jobProperties['later'] is defined nowhere before this place and resolves "
                    "to an empty text"));
}

TEST(Resolve, PropertiesOfOneArtifactOrStepAreNotSeenByTheNext) {
    auto first = batchlet_step("one");
    first.properties = properties({{"step-one", "x"}});
    first.listeners = {artifact("l", {{"mine", "x"}})};
    first.next = text("two");
    auto second = batchlet_step("two");
    std::get<BatchletDefinition>(first.work).batchlet.properties =
        properties({{"p", "#{jobProperties['mine']}?:none;"}});
    second.properties = properties({{"q", "#{jobProperties['step-one']}?:none;"}});
    const auto result = resolved(job_of({first, second}));
    EXPECT_EQ(value_of(artifact_properties(result), "p"), "none");
    EXPECT_EQ(value_of(step_at(result, 1).properties, "q"), "none");
}

TEST(Resolve, AMisspeltJobPropertyIsSuggested) {
    EXPECT_THAT(
        told(job_with_properties({{"folder", "/data"}}, {}, {{"resource", "#{jobProperties['foldr']}/in.csv"}})),
        ElementsAre(testing::EndsWith("resolves to an empty text; did you mean \"folder\"?")));
}

TEST(Resolve, ValuesStayMarkedInTheResolvedText) {
    const auto result =
        resolved(job_with_properties({}, {}, {{"command", "cp #{jobParameters['f']} /tmp"}}), {{"f", "a b; rm"}});
    EXPECT_EQ(artifact_properties(result)[0].value.values(), std::vector<Text::Range>({{3, 10}}));
}

TEST(Resolve, ADuplicatePropertyIsAWarningAndTheLastCounts) {
    const auto resolution = resolve(job_with_properties({}, {}, {{"a", "1"}, {"b", "2"}, {"a", "3"}}), {}, {});
    ASSERT_TRUE(resolution.job);
    const auto& properties = artifact_properties(*resolution.job);
    ASSERT_EQ(properties.size(), 2U);
    EXPECT_EQ(value_of(properties, "a"), "3");
    EXPECT_THAT(
        texts_of(resolution.diagnostics),
        ElementsAre("job.xml: warning: step \"s\": batchlet \"b\": property \"a\" is given twice; this last one "
                    "counts"));
}

TEST(Resolve, ReservedAndEmptyPropertyNames) {
    auto job = job_of({batchlet_step("s")});
    job.properties =
        properties({{"jakarta.batch.x", ""}, {"jakarta.batch", ""}, {"jakarta.batches", ""}, {"", "x"}}, 2);
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:2:5: warning: job \"j\": property \"jakarta.batch.x\": names that begin with "
                            "jakarta.batch are reserved by the specification",
                            "job.xml:3:5: warning: job \"j\": property \"jakarta.batch\": names that begin with "
                            "jakarta.batch are reserved by the specification",
                            "job.xml:5:5: error: job \"j\": a property has an empty name"));
}

// ---- missing parameters

TEST(Resolve, AMissingParameterIsToldOnceWithEveryUse) {
    auto job = job_of({batchlet_step("s")});
    job.properties = properties({{"a", "#{jobParameters['date']}"}, {"b", "x#{jobParameters['date']}"}}, 2);
    job.listeners = {artifact("l", {{"c", "#{jobParameters['other']}"}}, 7)};
    EXPECT_THAT(
        told(job, {{"dtae", "2026-11-21"}}),
        ElementsAre("job.xml:2:30: error: parameter \"date\" is used (2:30, 3:31) but not given; did you mean "
                    "\"dtae\"?; give -p date=VALUE or a default: #{jobParameters['date']}?:VALUE;",
                    "job.xml:7:30: error: parameter \"other\" is used (7:30) but not given; give -p other=VALUE "
                    "or a default: #{jobParameters['other']}?:VALUE;"));
    EXPECT_THAT(told(job, {{"date", ""}, {"other", ""}}), IsEmpty());
}

TEST(Resolve, ADefaultThatIsNotUsedNeedsNoParameter) {
    const auto job = job_with_properties({}, {}, {{"a", "#{jobParameters['x']}?:#{jobParameters['y']};"}});
    EXPECT_THAT(told(job, {{"x", "1"}}), IsEmpty());
    EXPECT_THAT(told(job, {{"y", "1"}}), IsEmpty());
    EXPECT_THAT(told(job), ElementsAre(testing::HasSubstr("parameter \"y\" is used")));
}

TEST(Resolve, AMissingParameterOfAnAttributeIsNotAlsoAWrongNumber) {
    EXPECT_THAT(told(job_of({chunk_step("s", {.item_count = text("#{jobParameters['n']}")})})),
                ElementsAre(testing::HasSubstr("parameter \"n\" is used")));
}

TEST(Resolve, PartitionPlanHasValuesInsidePartitionedStepsOnly) {
    EXPECT_THAT(told(job_with_properties({}, {}, {{"a", "#{partitionPlan['n']}?:1;"}})),
                ElementsAre("job.xml: error: partitionPlan['n'] has values only in the properties, listeners, work and "
                            "collector of a step with a <partition>"));
}

// ---- typed attributes

std::vector<std::string> item_count(std::string_view value, const Parameters& parameters = {}) {
    return told(job_of({chunk_step("load", {.item_count = text(value, {3, 24})})}), parameters);
}

TEST(Resolve, ItemCountIsAWholeNumberFromOne) {
    EXPECT_THAT(item_count("1"), IsEmpty());
    EXPECT_THAT(item_count("9223372036854775807"), IsEmpty());
    EXPECT_THAT(item_count("0"),
                ElementsAre("job.xml:3:24: error: step \"load\": item-count=\"0\" must be at least 1"));
    EXPECT_THAT(item_count("-1"),
                ElementsAre("job.xml:3:24: error: step \"load\": item-count=\"-1\" must be at least 1"));
    EXPECT_THAT(
        item_count("9223372036854775808"),
        ElementsAre("job.xml:3:24: error: step \"load\": item-count=\"9223372036854775808\" is too large, at most "
                    "9223372036854775807"));
    EXPECT_THAT(
        item_count("-99999999999999999999"),
        ElementsAre("job.xml:3:24: error: step \"load\": item-count=\"-99999999999999999999\" must be at least 1"));
    for (const auto* text : {"ten", "", "1 ", "+1", "1.5", "0x10", "-"}) {
        EXPECT_THAT(item_count(text), ElementsAre(testing::EndsWith("is not a whole number"))) << text;
    }
    EXPECT_THAT(
        item_count("#{jobParameters['n']}0", {{"n", "-"}}),
        ElementsAre("job.xml:3:24: error: step \"load\": item-count=\"-0\" (from #{jobParameters['n']}0) must be at "
                    "least 1"));
}

TEST(Resolve, TheOtherNumbersStartAtZero) {
    ChunkDefinition chunk{
        .time_limit = text("-1", {4, 1}), .skip_limit = text("-2", {5, 1}), .retry_limit = text("x", {6, 1})};
    auto step = chunk_step("load", chunk);
    step.start_limit = text("-3", {3, 1});
    EXPECT_THAT(told(job_of({step})),
                ElementsAre("job.xml:3:1: error: step \"load\": start-limit=\"-3\" must be at least 0",
                            "job.xml:4:1: error: step \"load\": time-limit=\"-1\" must be at least 0",
                            "job.xml:5:1: error: step \"load\": skip-limit=\"-2\" must be at least 0",
                            "job.xml:6:1: error: step \"load\": retry-limit=\"x\" is not a whole "
                            "number"));
    EXPECT_THAT(told(job_of({chunk_step("load", {.time_limit = text("9223372036855")})})),
                ElementsAre("job.xml: error: step \"load\": time-limit=\"9223372036855\" is too large, at most "
                            "9223372036854"));
}

TEST(Resolve, AttributesBecomeTyped) {
    ChunkDefinition chunk{.item_count = text("#{jobParameters['n']}"),
                          .time_limit = text("30"),
                          .skip_limit = text("0"),
                          .processor = artifact("p")};
    chunk.skippable.include.push_back({text("#{jobParameters['c']}")});
    chunk.retryable.exclude.push_back({text("D")});
    auto step = chunk_step("load", chunk);
    step.start_limit = text("3");
    step.allow_start_if_complete = text("TRUE");
    auto job = job_of({step});
    job.restartable = text("false");
    const auto result = resolved(job, {{"n", "500"}, {"c", "C"}});
    EXPECT_FALSE(result.restartable);
    EXPECT_EQ(step_at(result, 0).start_limit, 3);
    EXPECT_TRUE(step_at(result, 0).allow_start_if_complete);
    const auto& made = std::get<ResolvedChunk>(step_at(result, 0).work);
    EXPECT_EQ(made.item_count, 500);
    EXPECT_EQ(made.time_limit, std::chrono::seconds(30));
    EXPECT_EQ(made.skip_limit, 0);
    EXPECT_EQ(made.retry_limit, std::nullopt);
    EXPECT_EQ(made.processor.value().ref, "p");
    EXPECT_EQ(made.skippable.include.at(0).name, "C");
    EXPECT_EQ(made.retryable.exclude.at(0).name, "D");
    EXPECT_EQ(result.find("load"), &step_at(result, 0));
    EXPECT_EQ(result.find("x"), nullptr);
}

TEST(Resolve, AnAttributeWhoseExpressionsAreEmptyCountsAsNotWritten) {
    const std::string nothing = "#{systemProperties['nothing']}";
    ChunkDefinition chunk{.checkpoint_policy = text(nothing),
                          .item_count = text(nothing),
                          .time_limit = text(nothing),
                          .skip_limit = text(nothing)};
    auto step = chunk_step("load", chunk);
    step.allow_start_if_complete = text(nothing);
    step.next = text(nothing);
    step.transitions = {{.kind = TransitionDefinition::Kind::stop,
                         .on = text("X"),
                         .exit_status = text(nothing),
                         .restart = text(nothing)}};
    const auto result = resolved(job_of({step}));
    const auto& made = std::get<ResolvedChunk>(step_at(result, 0).work);
    EXPECT_EQ(made.policy, CheckpointPolicy::item);
    EXPECT_EQ(made.item_count, 10);
    EXPECT_EQ(made.skip_limit, std::nullopt);
    EXPECT_FALSE(step_at(result, 0).allow_start_if_complete);
    EXPECT_EQ(step_at(result, 0).next, std::nullopt);
    EXPECT_EQ(step_at(result, 0).transitions.at(0).exit_status, std::nullopt);
    EXPECT_EQ(step_at(result, 0).transitions.at(0).restart, std::nullopt);
}

TEST(Resolve, BooleansAreTrueOrFalse) {
    auto step = batchlet_step("s");
    step.allow_start_if_complete = text("yes", {2, 9});
    auto job = job_of({step});
    job.restartable = text("", {1, 9});
    EXPECT_THAT(told(job),
                ElementsAre("job.xml:1:9: error: job \"j\": restartable=\"\" is neither \"true\" nor \"false\"",
                            "job.xml:2:9: error: step \"s\": allow-start-if-complete=\"yes\" is neither "
                            "\"true\" nor \"false\""));
}

TEST(Resolve, TheCheckpointPolicyFitsItsAlgorithm) {
    EXPECT_THAT(told(job_of({chunk_step("s", {.checkpoint_policy = text("items", {2, 3})})})),
                ElementsAre("job.xml:2:3: error: step \"s\": checkpoint-policy=\"items\" is neither \"item\" nor "
                            "\"custom\""));
    EXPECT_THAT(told(job_of({chunk_step("s", {.checkpoint_policy = text("custom", {2, 3})})})),
                ElementsAre("job.xml:2:3: error: step \"s\": checkpoint-policy=\"custom\" needs a checkpoint-algorithm "
                            "element"));
    EXPECT_THAT(told(job_of({chunk_step("s", {.checkpoint_algorithm = artifact("c", {}, 4)})})),
                ElementsAre("job.xml:4:3: warning: step \"s\": the checkpoint-algorithm is not used without "
                            "checkpoint-policy=\"custom\""));
    const auto custom = resolved(
        job_of({chunk_step("s", {.checkpoint_policy = text("custom"), .checkpoint_algorithm = artifact("c")})}));
    EXPECT_EQ(std::get<ResolvedChunk>(step_at(custom, 0).work).policy, CheckpointPolicy::custom);
    EXPECT_EQ(std::get<ResolvedChunk>(step_at(custom, 0).work).checkpoint_algorithm.value().ref, "c");
}

TEST(Resolve, EmptyReferencesAndNamesAreErrors) {
    auto step = chunk_step("s");
    auto& chunk = std::get<ChunkDefinition>(step.work);
    chunk.reader.ref = text("#{systemProperties['none']}", {3, 9});
    chunk.writer = ArtifactDefinition{.at = {4, 2}};
    chunk.skippable.include.push_back({text(""), {5, 2}});
    EXPECT_THAT(told(job_of({step})),
                ElementsAre("job.xml:3:9: error: step \"s\": reader has an empty ref",
                            "job.xml:4:2: error: step \"s\": writer has an empty ref",
                            "job.xml:5:2: error: step \"s\": an exception class has an empty name"));
}

TEST(Resolve, AJobWithoutStepsCannotRun) {
    EXPECT_THAT(told(job_of({})), ElementsAre("job.xml:1:1: error: job \"j\": it has no step"));
}

// ---- check: the same without parameters

TEST(Check, DoesNotJudgeWhatDependsOnParameters) {
    const std::string value = "#{jobParameters['x']}";
    ChunkDefinition chunk{.checkpoint_policy = text(value),
                          .item_count = text(value),
                          .skip_limit = text(value),
                          .checkpoint_algorithm = artifact("c")};
    chunk.skippable.include.push_back({text(value)});
    auto step = chunk_step("s", chunk);
    step.start_limit = text(value);
    step.allow_start_if_complete = text(value);
    step.next = text(value);
    step.transitions = {next_on(value, value),
                        {.kind = TransitionDefinition::Kind::stop, .on = text("X"), .restart = text(value)}};
    EXPECT_THAT(texts_of(check(job_of({step, batchlet_step("t")}))), IsEmpty());
}

TEST(Check, TellsWhatIsWrongInAnyCase) {
    auto step = chunk_step("s", {.item_count = text("0", {2, 2})});
    step.next = text("nowhere", {3, 3});
    EXPECT_THAT(texts_of(check(job_of({step}))),
                ElementsAre("job.xml:2:2: error: step \"s\": item-count=\"0\" must be at least 1",
                            "job.xml:3:3: error: step \"s\": next=\"nowhere\" names nothing in this job"));
}

// ---- parameters_of

TEST(ParametersOf, ListsEachOnceInDocumentOrderWithItsDefault) {
    auto step = chunk_step("s", {.item_count = text("#{jobParameters['n']}?:100;", {4, 1})});
    step.next = text("#{jobParameters['both']}", {3, 1});
    step.transitions = {{.kind = TransitionDefinition::Kind::end,
                         .on = text("X"),
                         .exit_status = text("#{jobParameters['e']}?:;", {6, 1})}};
    std::get<ChunkDefinition>(step.work).skippable.include.push_back({text("#{jobParameters['c']}", {5, 1})});
    auto job = job_of({step});
    job.properties = properties({{"a", "#{jobParameters['both']}?:#{jobParameters['inner']};"}}, 2);
    const auto uses = parameters_of(job);
    std::vector<std::string> lines;
    for (const auto& use : uses) {
        lines.push_back(use.name + " " + use.fallback.value_or("-") + " " + std::to_string(use.at.line));
    }
    EXPECT_THAT(lines, ElementsAre("both - 2", "inner - 2", "n 100 4", "c - 5", "e  6"));
}

}  // namespace
}  // namespace fermata
