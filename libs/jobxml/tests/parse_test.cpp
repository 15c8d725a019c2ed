// What a correct document becomes.
#include "job_text.hpp"

#include <gmock/gmock.h>

namespace fermata {
namespace {

using namespace testing_jobxml;

const std::string everything = R"(<?xml version="1.0" encoding="UTF-8"?>
<!-- a comment --><?a processing instruction?>
<job id="nightly" restartable="false" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee"
     xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b" xml:lang="en">
  <properties><property name="p" value="1"/><property name="q" value="#{jobProperties['p']}"/></properties>
  <listeners><listener ref="jl"><properties><property name="x" value="y"/></properties></listener></listeners>
  <step id="load" start-limit="3" allow-start-if-complete="true" next="report">
    <properties><property name="sp" value=""/></properties>
    <listeners><listener ref="sl1"/><listener ref="sl2"/></listeners>
    <chunk checkpoint-policy="custom" item-count="7" time-limit="8" skip-limit="9" retry-limit="0">
      <reader ref="r"><properties><property name="resource" value="#{jobParameters['in']}?:a &lt; b;"/></properties></reader>
      <processor ref="p"/>
      <writer ref="w"/>
      <checkpoint-algorithm ref="c"/>
      <skippable-exception-classes><include class="A"/><include class="B"/><exclude class="C"/></skippable-exception-classes>
      <retryable-exception-classes><include class="D"/></retryable-exception-classes>
      <no-rollback-exception-classes><exclude class="E"/></no-rollback-exception-classes>
    </chunk>
    <end on="DONE" exit-status="OK"/>
    <fail on="BAD*"/>
    <stop on="WAIT" exit-status="LATER" restart="report"/>
    <next on="*" to="report"/>
  </step>
  <step id="report"><batchlet ref="b"><!-- nothing --><![CDATA[  ]]></batchlet></step>
</job>
)";

const StepDefinition& step_at(const JobDefinition& job, std::size_t index) {
    return std::get<StepDefinition>(job.elements.at(index).what);
}

TEST(Parse, EverythingIsTakenOver) {
    const auto job = parsed(everything);
    EXPECT_EQ(job.id, "nightly");
    EXPECT_EQ(job.file, "job.xml");
    EXPECT_EQ(job.source, everything);
    EXPECT_EQ(job.restartable.source(), "false");
    ASSERT_EQ(job.properties.size(), 2U);
    EXPECT_EQ(job.properties[1].name, "q");
    EXPECT_EQ(job.properties[1].value.source(), "#{jobProperties['p']}");
    ASSERT_EQ(job.listeners.size(), 1U);
    EXPECT_EQ(job.listeners[0].ref.source(), "jl");
    EXPECT_EQ(job.listeners[0].properties.at(0).value.source(), "y");
    ASSERT_EQ(job.elements.size(), 2U);
    EXPECT_EQ(std::get<BatchletDefinition>(step_at(job, 1).work).batchlet.ref.source(), "b");
    EXPECT_EQ(job.find("report"), &step_at(job, 1));
    EXPECT_EQ(job.find("nowhere"), nullptr);
}

TEST(Parse, AStepKeepsItsAttributesAndTransitions) {
    const auto job = parsed(everything);
    const auto& step = step_at(job, 0);
    EXPECT_EQ(step.start_limit.source(), "3");
    EXPECT_EQ(step.allow_start_if_complete.source(), "true");
    EXPECT_EQ(step.next.value().source(), "report");
    EXPECT_EQ(step.properties.at(0).value.source(), "");
    EXPECT_EQ(step.listeners.at(1).ref.source(), "sl2");
    using Kind = TransitionDefinition::Kind;
    ASSERT_EQ(step.transitions.size(), 4U);
    EXPECT_EQ(step.transitions[0].kind, Kind::end);
    EXPECT_EQ(step.transitions[0].exit_status.value().source(), "OK");
    EXPECT_EQ(step.transitions[1].kind, Kind::fail);
    EXPECT_FALSE(step.transitions[1].exit_status);
    EXPECT_EQ(step.transitions[2].kind, Kind::stop);
    EXPECT_EQ(step.transitions[2].restart.value().source(), "report");
    EXPECT_EQ(step.transitions[3].kind, Kind::next);
    EXPECT_EQ(step.transitions[3].on.source(), "*");
    EXPECT_EQ(step.transitions[3].to.source(), "report");
}

TEST(Parse, AChunkKeepsEveryPart) {
    const auto job = parsed(everything);
    const auto& chunk = std::get<ChunkDefinition>(step_at(job, 0).work);
    EXPECT_EQ(chunk.checkpoint_policy.source(), "custom");
    EXPECT_EQ(chunk.item_count.source(), "7");
    EXPECT_EQ(chunk.time_limit.source(), "8");
    EXPECT_EQ(chunk.skip_limit.value().source(), "9");
    EXPECT_EQ(chunk.retry_limit.value().source(), "0");
    EXPECT_EQ(chunk.reader.properties.at(0).value.source(), "#{jobParameters['in']}?:a < b;");
    EXPECT_EQ(chunk.processor.value().ref.source(), "p");
    EXPECT_EQ(chunk.writer.ref.source(), "w");
    EXPECT_EQ(chunk.checkpoint_algorithm.value().ref.source(), "c");
    EXPECT_EQ(chunk.skippable.include.at(1).name.source(), "B");
    EXPECT_EQ(chunk.skippable.exclude.at(0).name.source(), "C");
    EXPECT_EQ(chunk.retryable.include.at(0).name.source(), "D");
    EXPECT_EQ(chunk.no_rollback.exclude.at(0).name.source(), "E");
}

TEST(Parse, WhatIsNotWrittenHasTheDefaultsOfTheSpecification) {
    const auto job = parsed(head + R"(<step id="s"><chunk><reader ref="r"/><writer ref="w"/></chunk></step></job>)");
    EXPECT_EQ(job.restartable.source(), "true");
    const auto& step = step_at(job, 0);
    EXPECT_EQ(step.start_limit.source(), "0");
    EXPECT_EQ(step.allow_start_if_complete.source(), "false");
    EXPECT_FALSE(step.next);
    const auto& chunk = std::get<ChunkDefinition>(step.work);
    EXPECT_EQ(chunk.checkpoint_policy.source(), "item");
    EXPECT_EQ(chunk.item_count.source(), "10");
    EXPECT_EQ(chunk.time_limit.source(), "0");
    EXPECT_FALSE(chunk.skip_limit);
    EXPECT_FALSE(chunk.retry_limit);
    EXPECT_FALSE(chunk.processor);
    EXPECT_FALSE(chunk.checkpoint_algorithm);
}

TEST(Parse, AllThreeNamespacesAndBothVersions) {
    parsed(R"(<job id="j" version="1.0" xmlns="http://xmlns.jcp.org/xml/ns/javaee">)" + step + "</job>");
    parsed(R"(<job id="j" version="2.0">)" + step + "</job>");
    parsed(R"(<b:job id="j" version="2.0" xmlns:b="https://jakarta.ee/xml/ns/jakartaee"><b:step id="s">)"
           R"(<b:batchlet ref="x"/></b:step></b:job>)");
}

TEST(Parse, PositionsPointAtElementsAndIntoAttributeValues) {
    const auto job = parsed(
        "<job id='j' version='2.0'>\r\n\t<step id='s'\r\n  next = \"#{jobProperties['t']}\">"
        "<batchlet ref='a&amp;&#xe9;\u00e9&#128578;#{jobProperties[&quot;b&quot;]}?:x\r\ny;z'/></step></job>");
    EXPECT_EQ(job.at, (Position{1, 1}));
    const auto& step = step_at(job, 0);
    EXPECT_EQ(step.at, (Position{2, 2}));
    EXPECT_EQ(step.next->at(), (Position{3, 11}));
    const auto& batchlet = std::get<BatchletDefinition>(step.work).batchlet;
    EXPECT_EQ(batchlet.at, (Position{3, 34}));
    EXPECT_EQ(batchlet.ref.source(), "a&éé🙂#{jobProperties[\"b\"]}?:x y;z");
    const auto& pieces = batchlet.ref.pieces();
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[0].at, (Position{3, 49}));
    EXPECT_EQ(pieces[1].at, (Position{3, 72}));
    EXPECT_EQ(pieces[2].at, (Position{4, 3}));
}

TEST(Parse, EncodingsGiveTheSameJobWithPositionsInUtf8) {
    const std::string body = "<job id=\"j\" version=\"2.0\"><step id=\"s\"><batchlet ref=\"\u00e9\"/></step></job>";
    const auto expect_same = [](const std::string& text) {
        const auto job = parsed(text);
        EXPECT_EQ(std::get<BatchletDefinition>(step_at(job, 0).work).batchlet.ref.source(), "é");
        EXPECT_EQ(job.source, text);
    };
    const auto widened = [](std::string_view ascii_and_e, bool little) {
        std::string wide = little ? "\xFF\xFE" : "\xFE\xFF";
        for (std::size_t i = 0; i < ascii_and_e.size(); ++i) {
            char low = ascii_and_e[i];
            if (static_cast<unsigned char>(low) == 0xC3) low = static_cast<char>(0xE9), ++i;
            wide += little ? std::string{low, '\0'} : std::string{'\0', low};
        }
        return wide;
    };
    expect_same(body);
    expect_same("\xEF\xBB\xBF" + body);
    expect_same("<?xml version='1.0' encoding='utf-8'?>" + body);
    expect_same("\xEF\xBB\xBF<?xml version='1.0' encoding='UTF-8'?>\n" + body);
    expect_same(widened(body, true));
    expect_same(widened(body, false));
    expect_same(widened("<?xml version='1.0' encoding='UTF-16'?>" + body, true));
    expect_same(widened(body, true).substr(2));
    expect_same(widened(body, false).substr(2));
    auto latin = "<?xml version='1.0' encoding=\"iso-8859-1\"?>" + body;
    latin.replace(latin.find("\u00e9"), 2, "\xE9");
    expect_same(latin);
    EXPECT_EQ(parsed("\xEF\xBB\xBF" + body).at, (Position{1, 1}));
}

TEST(Parse, ForeignElementsAndAttributesAreIgnoredWithAWarning) {
    const auto result = parse_job(R"(<job id="j" version="2.0" xmlns:x="urn:x"><x:note x:y="1">any <b/> text</x:note>
<step id="s" x:colour="red"><batchlet ref="b"/></step></job>)",
                                  "job.xml");
    EXPECT_TRUE(result.job);
    EXPECT_THAT(texts_of(result.diagnostics),
                testing::ElementsAre(
                    "job.xml:1:43: warning: job \"j\": the element <note> of the namespace \"urn:x\" is ignored",
                    "job.xml:2:14: warning: step \"s\": the attribute colour of the namespace \"urn:x\" is ignored"));
}

TEST(Parse, AnUnusualVersionIsAWarning) {
    EXPECT_THAT(
        diagnostics_of("<job id='j' version='3.0'>" + step + "</job>"),
        testing::ElementsAre("job.xml:1:22: warning: version=\"3.0\" is neither \"1.0\" nor \"2.0\"; 2.0 is assumed"));
    EXPECT_THAT(diagnostics_of("<job id='j'>" + step + "</job>"),
                testing::ElementsAre("job.xml:1:1: warning: <job> has no version attribute; 2.0 is assumed"));
}

TEST(Parse, SixtyFourLevelsAreDeepEnough) {
    std::string deep;
    for (int i = 0; i < 63; ++i) deep += "<x:a>";
    for (int i = 0; i < 63; ++i) deep += "</x:a>";
    EXPECT_TRUE(parse_job("<job id='j' version='2.0' xmlns:x='urn:x'>" + deep + step + "</job>", "").job);
}

TEST(Parse, FlowsSplitsDecisionsAndPartitions) {
    const auto job = parsed(R"(<job id="j" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee">
  <step id="a" next="d">
    <batchlet ref="b"/>
    <partition>
      <plan partitions="2" threads="1">
        <properties partition="1"><property name="p" value="v"/></properties>
      </plan>
      <collector ref="c"/>
      <analyzer ref="an"/>
      <reducer ref="r"/>
    </partition>
  </step>
  <decision id="d" ref="decider">
    <properties><property name="q" value="w"/></properties>
    <next on="X" to="f"/>
    <stop on="*" restart="a"/>
  </decision>
  <flow id="f" next="s">
    <step id="g"><batchlet ref="b"/><partition><mapper ref="m"/></partition></step>
    <end on="E"/>
  </flow>
  <split id="s" next="last">
    <flow id="f1"><step id="h"><batchlet ref="b"/></step></flow>
    <flow id="f2"><flow id="f3"><step id="i"><batchlet ref="b"/></step></flow></flow>
  </split>
  <step id="last"><batchlet ref="b"/></step>
</job>)");
    ASSERT_EQ(job.elements.size(), 5U);
    const auto& partition = step_at(job, 0).partition.value();
    EXPECT_EQ(partition.plan->partitions.source(), "2");
    EXPECT_EQ(partition.plan->threads->source(), "1");
    EXPECT_EQ(partition.plan->properties.at(0).partition.source(), "1");
    EXPECT_EQ(partition.plan->properties.at(0).properties.at(0).name, "p");
    EXPECT_EQ(partition.collector->ref.source() + partition.analyzer->ref.source() + partition.reducer->ref.source(),
              "canr");
    const auto& decision = std::get<DecisionDefinition>(job.elements[1].what);
    EXPECT_EQ(decision.decider.ref.source(), "decider");
    EXPECT_EQ(decision.decider.properties.at(0).name, "q");
    EXPECT_EQ(decision.transitions.at(1).restart->source(), "a");
    const auto& flow = std::get<FlowDefinition>(job.elements[2].what);
    EXPECT_EQ(flow.next->source(), "s");
    EXPECT_EQ(flow.transitions.at(0).kind, TransitionDefinition::Kind::end);
    EXPECT_EQ(std::get<StepDefinition>(flow.elements.at(0).what).partition->mapper->ref.source(), "m");
    const auto& split = std::get<SplitDefinition>(job.elements[3].what);
    EXPECT_EQ(split.next->source(), "last");
    EXPECT_EQ(split.flows.at(1).elements.at(0).id(), "f3");
    EXPECT_EQ(steps_of(job.elements).size(), 5U);
    EXPECT_EQ(job.find("i")->at.line, 24);
    EXPECT_EQ(to_json(job_definition_from_json(to_json(job))), to_json(job));
}

TEST(Parse, PausesWhateverTheirPrefix) {
    const auto job = parsed(
        R"(<job id="j" version="2.0" xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:f="urn:fermata:job:1">)"
        R"(<step id="a"><batchlet ref="b"/><end on="Z"/><f:pause on="X" point="p" to="c" message="m" signals="3" )"
        R"(timeout="1h" on-timeout="stop" notify="mail"/></step><step id="c"><batchlet ref="b"/></step></job>)");
    const TransitionDefinition& transition = step_at(job, 0).transitions.at(1);
    EXPECT_EQ(transition.kind, TransitionDefinition::Kind::pause);
    EXPECT_EQ(transition.on.source() + transition.to.source(), "Xc");
    const PauseDefinition& pause = transition.pause.value();
    EXPECT_EQ(pause.point.source() + pause.message->source() + pause.signals.source(), "pm3");
    EXPECT_EQ(pause.timeout->source() + pause.on_timeout.source() + pause.notify->source(), "1hstopmail");
    EXPECT_EQ(to_json(job_definition_from_json(to_json(job))), to_json(job));
}

}  // namespace
}  // namespace fermata
