// The builder covers what job XML says: one job, written in both, is the same definition. A new element or attribute of
// the grammar that stands in no example here fails the test, until the builder has a word for it.
#include "grammar.hpp"

#include <fermata/base/error.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/model/builder.hpp>
#include <fermata/model/resolved_job.hpp>

#include <gmock/gmock.h>

#include <regex>

namespace fermata::jobxml {
namespace {

constexpr std::string_view in_xml = R"xml(
<job id="night" restartable="#{jobParameters['again']}?:true;" version="2.0"
     xmlns="https://jakarta.ee/xml/ns/jakartaee" xmlns:fer="urn:fermata:job:1">
  <properties><property name="region" value="eu"/></properties>
  <listeners><listener ref="told"><properties><property name="to" value="ann"/></properties></listener></listeners>
  <split id="fetch" next="enough">
    <flow id="orders">
      <step id="load" start-limit="3" allow-start-if-complete="true" next="count">
        <properties><property name="max-rate" value="10"/></properties>
        <listeners><listener ref="rejectFile"/></listeners>
        <chunk item-count="#{jobParameters['chunk']}?:100;" time-limit="5" skip-limit="20" retry-limit="4">
          <reader ref="csvReader"><properties><property name="resource" value="o.csv"/></properties></reader>
          <processor ref="map"/>
          <writer ref="jsonlWriter"/>
          <skippable-exception-classes>
            <include class="fermata.ItemError"/><exclude class="fermata.ReadError"/>
          </skippable-exception-classes>
          <retryable-exception-classes><include class="fermata.IoError"/></retryable-exception-classes>
          <no-rollback-exception-classes>
            <include class="fermata.IoError"/><exclude class="fermata.ChildError"/>
          </no-rollback-exception-classes>
        </chunk>
      </step>
      <step id="count">
        <chunk checkpoint-policy="custom">
          <reader ref="rangeReader"/>
          <writer ref="discardWriter"/>
          <checkpoint-algorithm ref="few"><properties><property name="items" value="3"/></properties></checkpoint-algorithm>
          <skippable-exception-classes><include class="fermata.ItemError"/></skippable-exception-classes>
        </chunk>
        <partition fer:workers="any" fer:turn="2s">
          <plan partitions="2" threads="1">
            <properties partition="0"><property name="part" value="a"/></properties>
            <properties partition="1"><property name="part" value="b"/></properties>
          </plan>
          <collector ref="subtotal"/><analyzer ref="total"/><reducer ref="published"/>
        </partition>
      </step>
      <end on="NONE" exit-status="EMPTY"/>
    </flow>
    <flow id="stock">
      <step id="ask">
        <batchlet ref="command"><properties><property name="command" value="true"/></properties></batchlet>
        <partition><mapper ref="listMapper"><properties><property name="values" value="x,y"/></properties></mapper></partition>
      </step>
      <fail on="F*" exit-status="NO STOCK"/>
      <stop on="S" exit-status="LATER" restart="fetch"/>
    </flow>
  </split>
  <decision id="enough" ref="expression">
    <properties><property name="otherwise" value="GOOD"/></properties>
    <next on="GOOD" to="report"/>
    <fer:pause on="ASK" point="approve" to="report" message="all?" signals="2" timeout="1000ms" on-timeout="stop"
               notify="mail ann"/>
    <end on="E"/><fail on="F"/><stop on="S"/>
  </decision>
  <flow id="report" next="last">
    <step id="print"><batchlet ref="command"/><next on="A" to="keep"/><fer:pause on="B" point="p" signals="1"/></step>
    <step id="keep"><batchlet ref="command"/><end on="*"/><fail on="F" exit-status="X"/><stop on="S" restart="last"/></step>
    <next on="AGAIN" to="last"/>
    <fer:pause on="W" point="w" signals="1"/>
  </flow>
  <step id="last"><batchlet ref="command"/></step>
</job>)xml";

JobDefinition in_words() {
    const auto orders = flow("orders")
                            .step(chunk_step("load", "#{jobParameters['chunk']}?:100;")
                                      .start_limit(3)
                                      .allow_start_if_complete(true)
                                      .next("count")
                                      .property("max-rate", "10")
                                      .listener("rejectFile")
                                      .time_limit(5)
                                      .reader("csvReader", {{"resource", "o.csv"}})
                                      .processor("map")
                                      .writer("jsonlWriter")
                                      .skip({"fermata.ItemError"}, 20, {"fermata.ReadError"})
                                      .retry({"fermata.IoError"}, 4)
                                      .no_rollback({"fermata.IoError"}, {"fermata.ChildError"}))
                            .step(chunk_step("count")
                                      .reader("rangeReader")
                                      .writer("discardWriter")
                                      .checkpoint_algorithm("few", {{"items", "3"}})
                                      .skip({"fermata.ItemError"})
                                      .partitions(2, {{{"part", "a"}}, {{"part", "b"}}}, 1)
                                      .for_workers()
                                      .turn("2s")
                                      .collector("subtotal")
                                      .analyzer("total")
                                      .reducer("published"))
                            .end_on("NONE", "EMPTY");
    const auto stock =
        flow("stock")
            .step(batchlet_step("ask", "command", {{"command", "true"}}).mapper("listMapper", {{"values", "x,y"}}))
            .fail_on("F*", "NO STOCK")
            .stop_on("S", "LATER", "fetch");
    const auto report =
        flow("report")
            .step(batchlet_step("print", "command").on("A", "keep").pause_on("B", {.point = "p"}))
            .step(batchlet_step("keep", "command").end_on("*").fail_on("F", "X").stop_on("S", "", "last"))
            .on("AGAIN", "last")
            .pause_on("W", {.point = "w"})
            .next("last");
    return job("night")
        .restartable("#{jobParameters['again']}?:true;")
        .property("region", "eu")
        .listener("told", {{"to", "ann"}})
        .split(split("fetch").flow(orders).flow(stock).next("enough"))
        .decision(decision("enough", "expression", {{"otherwise", "GOOD"}})
                      .on("GOOD", "report")
                      .pause_on("ASK",
                                {.point = "approve",
                                 .message = "all?",
                                 .signals = 2,
                                 .timeout = std::chrono::seconds(1),
                                 .on_timeout = OnTimeout::stop,
                                 .notify = "mail ann"},
                                "report")
                      .end_on("E")
                      .fail_on("F")
                      .stop_on("S"))
        .flow(report)
        .step(batchlet_step("last", "command"))
        .build();
}

std::string described(const JobDefinition& job) {
    const Resolution resolution = resolve(job, {}, {});
    for (const Diagnostic& found : resolution.diagnostics.all()) ADD_FAILURE() << to_string(found);
    return resolution.job ? describe(*resolution.job) : "";
}

TEST(Builder, SaysAllThatJobXmlSays) {
    const ParsedJob parsed = parse_job(std::string(in_xml), "night.xml");
    for (const Diagnostic& found : parsed.diagnostics.all()) ADD_FAILURE() << to_string(found);
    ASSERT_TRUE(parsed.job);
    EXPECT_EQ(described(in_words()), described(*parsed.job));
    EXPECT_EQ(hash_of(in_words()), hash_of(*parsed.job));
}

TEST(Builder, KnowsEveryElementAndAttribute) {
    const std::string text(in_xml);
    for (const ElementRule& rule : all_rules()) {
        EXPECT_NE(text.find("<" + std::string(rule.name)), std::string::npos) << rule.name;
        for (const std::string& name : rule.attribute_names()) {
            const std::regex used("<" + std::string(rule.name) + "\\s[^>]*\\b" + name + "=\"");
            EXPECT_TRUE(std::regex_search(text, used)) << rule.name << " " << name;
        }
    }
}

TEST(Builder, RefusesWhatBatchletStepsHaveNot) {
    EXPECT_THROW((void)batchlet_step("s", "b").time_limit(1), Error);
    EXPECT_THROW((void)batchlet_step("s", "b").checkpoint_algorithm("a"), Error);
    EXPECT_THROW((void)batchlet_step("s", "b").no_rollback({"fermata.IoError"}), Error);
    EXPECT_THROW((void)job("j").step(batchlet_step("s", "b").start_limit("#{jobParameters[")).build(), Error);
}

}  // namespace
}  // namespace fermata::jobxml
