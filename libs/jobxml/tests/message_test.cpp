// What `validate` says about documents that are wrong, word for word.
#include "job_text.hpp"

#include <gmock/gmock.h>

namespace fermata {
namespace {

using namespace testing_jobxml;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::StartsWith;

/// The diagnostics of a job with this inside, the inside beginning at 1:71.
std::vector<std::string> inside_job(const std::string& inside) { return diagnostics_of(head + inside + "</job>"); }
/// The same inside of a step, beginning at 2:1.
std::vector<std::string> inside_step(const std::string& inside) {
    return inside_job("<step id=\"load\">\n" + inside + "\n</step>");
}
/// The same inside of a chunk that lacks nothing before it, beginning at 3:1.
std::vector<std::string> inside_chunk(const std::string& inside) {
    return inside_step("<chunk><reader ref='r'/><writer ref='w'/>\n" + inside + "\n</chunk>");
}

TEST(Message, EverythingWrongIsToldInDocumentOrder) {
    EXPECT_THAT(
        diagnostics_of(R"(<job id="nightly" version="2.0" restartible="no">
  <step next="report">
    <chunk item-cuont="5">
      <writer ref="w"/>
      <reader/>
    </chunk>
  </step>
  <step id="report"><batchlet ref="#{jobParameter['x']}"/></step>
  <stpe id="x"/>
</job>)"),
        ElementsAre("job.xml:1:33: error: job \"nightly\": <job> has no attribute \"restartible\"; did you mean "
                    "\"restartable\"?",
                    "job.xml:2:3: error: job \"nightly\": <step> needs the attribute \"id\"",
                    "job.xml:3:12: error: job \"nightly\": <chunk> has no attribute \"item-cuont\"; did you mean "
                    "\"item-count\"?",
                    "job.xml:5:7: error: job \"nightly\": <reader> must stand before <writer>",
                    "job.xml:5:7: error: job \"nightly\": <reader> needs the attribute \"ref\"",
                    "job.xml:8:38: error: malformed expression #{jobParameter['x']}: unknown operator "
                    "\"jobParameter\"; did you mean \"jobParameters\"?; write #{jobParameters['NAME']}",
                    "job.xml:9:3: error: job \"nightly\": unknown element <stpe> in <job>; did you mean "
                    "\"step\"?"));
}

TEST(Message, WhatCanBeUnderstoodIsLeftWhereOnlyAttributesAreWrong) {
    const auto sketched = [](const std::string& inside) {
        ParsedJob parsed = parse_job(head + inside + "</job>", "job.xml");
        EXPECT_TRUE(parsed.diagnostics.has_errors());
        EXPECT_FALSE(parsed.job);
        return parsed.sketch.has_value();
    };
    EXPECT_TRUE(sketched("<step id='a'><batchlet/></step>"));
    EXPECT_TRUE(sketched("<step id='a' nxt='b'><batchlet ref='b'/></step>"));
    EXPECT_TRUE(sketched("<step id='a'><batchlet ref='#{x'/></step>"));
    EXPECT_FALSE(sketched("<step><batchlet ref='b'/></step>"));
    EXPECT_FALSE(sketched(step + step));
    EXPECT_FALSE(sketched("<step id='a'/>"));
    EXPECT_FALSE(sketched("<stpe id='a'/>"));
    EXPECT_FALSE(parse_job("<job id='j'", "job.xml").sketch);
    EXPECT_FALSE(parse_job(head + step + "</job>", "job.xml").sketch);
}

TEST(Message, WhatIsWrongInFlowsSplitsDecisionsAndPartitions) {
    EXPECT_THAT(inside_job("<flow id='f'><properties/></flow>"),
                ElementsAre(HasSubstr("flow \"f\": <properties> cannot stand in <flow>; it belongs in ")));
    EXPECT_THAT(inside_job("<split id='s'><step id='t'><batchlet ref='b'/></step></split>"),
                ElementsAre(HasSubstr("split \"s\": <step> cannot stand in <split>; it belongs in <job>, <flow>")));
    EXPECT_THAT(inside_job("<decision id='d'/>"),
                ElementsAre("job.xml:1:71: error: decision \"d\": <decision> needs the attribute \"ref\""));
    EXPECT_THAT(inside_job("<decision id='d' ref='r' next='x'/>"),
                ElementsAre(HasSubstr("decision \"d\": <decision> has no attribute \"next\"")));
    EXPECT_THAT(inside_step("<batchlet ref='b'/><partition><plan/><mapper ref='m'/></partition>"),
                ElementsAre(HasSubstr("step \"load\": <mapper> cannot stand beside <plan>")));
    EXPECT_THAT(inside_step("<batchlet ref='b'/><partition><reducer ref='r'/><collector ref='c'/></partition>"),
                ElementsAre(HasSubstr("step \"load\": <collector> must stand before <reducer>")));
}

TEST(Message, ThePropertiesOfAPlanSayOfWhichPartition) {
    EXPECT_THAT(inside_step("<batchlet ref='b'/><partition><plan><properties/></plan></partition>"),
                ElementsAre(HasSubstr("<properties> of a <plan> needs the attribute \"partition\"")));
    EXPECT_THAT(inside_step("<batchlet ref='b'><properties partition='0'/></batchlet>"),
                ElementsAre(HasSubstr("warning: step \"load\": the attribute \"partition\" means something in the "
                                      "<properties> of a <plan> only")));
}

TEST(Message, ARootThatIsNoJob) {
    EXPECT_THAT(diagnostics_of("<jobs/>"),
                ElementsAre("job.xml:1:1: error: the root element is <jobs>, but job XML begins with <job>"));
    EXPECT_THAT(diagnostics_of("<job xmlns='http://www.springframework.org/schema/batch' id='j'/>"),
                ElementsAre("job.xml:1:1: error: <job> is of the unknown namespace "
                            "\"http://www.springframework.org/schema/batch\"; write "
                            "xmlns=\"https://jakarta.ee/xml/ns/jakartaee\""));
}

TEST(Message, OrderAndNumberOfChildren) {
    EXPECT_THAT(inside_job("<listeners/><properties/>" + step),
                ElementsAre("job.xml:1:83: error: job \"j\": <properties> must stand before <listeners>"));
    EXPECT_THAT(inside_step("<batchlet ref='b'/><chunk><reader ref='r'/><writer ref='w'/></chunk>"),
                ElementsAre("job.xml:2:20: error: step \"load\": <chunk> cannot stand beside <batchlet>"));
    EXPECT_THAT(inside_step("<batchlet ref='b'/><batchlet ref='b'/>"),
                ElementsAre("job.xml:2:20: error: step \"load\": a second <batchlet>; only one is allowed"));
    EXPECT_THAT(inside_step("<end on='X'/><batchlet ref='b'/><next on='Y' to='load'/>"),
                ElementsAre("job.xml:2:14: error: step \"load\": <batchlet> must stand before <end>"));
    EXPECT_THAT(inside_step(""),
                ElementsAre("job.xml:1:71: error: step \"load\": it has neither a <batchlet> nor a <chunk>"));
    EXPECT_THAT(inside_step("<chunk/>"), ElementsAre("job.xml:2:1: error: step \"load\": <chunk> needs a <reader>",
                                                     "job.xml:2:1: error: step \"load\": <chunk> needs a <writer>"));
    EXPECT_THAT(inside_chunk("<skippable-exception-classes><exclude class='A'/><include class='B'/>"
                             "</skippable-exception-classes>"),
                ElementsAre("job.xml:3:50: error: step \"load\": <include> must stand before <exclude>"));
}

TEST(Message, ElementsInTheWrongPlace) {
    EXPECT_THAT(
        inside_step("<batchlet ref='b'/><reader ref='r'/>"),
        ElementsAre("job.xml:2:20: error: step \"load\": <reader> cannot stand in <step>; it belongs in <chunk>"));
    EXPECT_THAT(inside_step("<batchlet ref='b'/><property name='a' value='b'/>"),
                ElementsAre("job.xml:2:20: error: step \"load\": <property> cannot stand in <step>; it belongs in "
                            "<properties>"));
    EXPECT_THAT(inside_chunk("<lisener ref='r'/>"),
                ElementsAre("job.xml:3:1: error: step \"load\": unknown element <lisener> in <chunk>"));
    EXPECT_THAT(inside_chunk("<properties/>"),
                ElementsAre(StartsWith("job.xml:3:1: error: step \"load\": <properties> cannot stand in <chunk>; it "
                                       "belongs in <job>, <step>, <batchlet>")));
}

TEST(Message, RequiredAttributes) {
    EXPECT_THAT(diagnostics_of("<job version='2.0'>" + step + "</job>"),
                ElementsAre("job.xml:1:1: error: <job> needs the attribute \"id\""));
    EXPECT_THAT(inside_step("<properties><property/></properties><batchlet/><next/><end/>"),
                ElementsAre("job.xml:2:13: error: step \"load\": <property> needs the attribute \"name\"",
                            "job.xml:2:13: error: step \"load\": <property> needs the attribute \"value\"",
                            "job.xml:2:37: error: step \"load\": <batchlet> needs the attribute \"ref\"",
                            "job.xml:2:48: error: step \"load\": <next> needs the attribute \"on\"",
                            "job.xml:2:48: error: step \"load\": <next> needs the attribute \"to\"",
                            "job.xml:2:55: error: step \"load\": <end> needs the attribute \"on\""));
}

TEST(Message, IdsAreUniqueAndNotEmpty) {
    EXPECT_THAT(inside_job(step + "\n<step id='s'><batchlet ref='b'/></step>\n<step id='j'><batchlet ref='b'/></step>"),
                ElementsAre("job.xml:2:11: error: step \"s\": this id is already used at 1:81",
                            "job.xml:3:11: error: step \"j\": this id is already used at 1:10"));
    EXPECT_THAT(inside_job("<step id=''><batchlet ref='b'/></step>"),
                ElementsAre("job.xml:1:81: error: step \"\": the id is empty"));
}

TEST(Message, TextBetweenElements) {
    EXPECT_THAT(inside_step("<batchlet ref='b'>\n  hello\n world</batchlet>"),
                ElementsAre("job.xml:3:3: error: step \"load\": text is not expected in <batchlet>"));
    EXPECT_THAT(inside_step("<batchlet ref='b'><![CDATA[hello]]></batchlet>"),
                ElementsAre("job.xml:2:28: error: step \"load\": text is not expected in <batchlet>"));
}

TEST(Message, UnknownFermataElementsAndAttributesAreErrors) {
    EXPECT_THAT(
        diagnostics_of("<job id='j' version='2.0' xmlns:fer='urn:fermata:job:1'>"
                       "<step id='s' fer:pauze='1'><batchlet ref='b'/><fer:locks on='X'/></step></job>"),
        ElementsAre("job.xml:1:70: error: step \"s\": unknown attribute pauze of the namespace urn:fermata:job:1",
                    "job.xml:1:103: error: step \"s\": unknown element <fer:locks> of the namespace "
                    "urn:fermata:job:1"));
}

TEST(Message, WorkersArePartOfAPartition) {
    const std::string begin = "<job id='j' version='2.0' xmlns:f='urn:fermata:job:1'><step id='s'><batchlet ref='b'/>";
    EXPECT_THAT(diagnostics_of(begin + "<partition f:workers='any'/></step></job>"), IsEmpty());
    EXPECT_THAT(diagnostics_of(begin + "<partition f:workers='any' f:turn='2s'/></step></job>"), IsEmpty());
    EXPECT_THAT(diagnostics_of(begin + "<partition workers='any'/></step></job>"),
                ElementsAre("job.xml:1:98: error: step \"s\": <partition> has no attribute \"workers\""));
    EXPECT_THAT(diagnostics_of(begin + "<partition><plan f:workers='any'/></partition></step></job>"),
                ElementsAre("job.xml:1:104: error: step \"s\": unknown attribute workers of the namespace "
                            "urn:fermata:job:1"));
}

TEST(Message, APauseNeedsItsPlaceAndItsAttributes) {
    EXPECT_THAT(diagnostics_of("<job id='j' version='2.0' xmlns:x='urn:fermata:job:1'>"
                               "<step id='s'><x:pause on='X' pint='p'/><batchlet ref='b'/></step></job>"),
                ElementsAre("job.xml:1:68: error: step \"s\": <fer:pause> needs the attribute \"point\"",
                            "job.xml:1:84: error: step \"s\": <fer:pause> has no attribute \"pint\"; did you mean "
                            "\"point\"?",
                            "job.xml:1:94: error: step \"s\": <batchlet> must stand before <fer:pause>"));
}

TEST(Message, APauseThatCouldNeverBeOrNeverEndIsTold) {
    EXPECT_THAT(diagnostics_of("<job id='j' version='2.0' xmlns:x='urn:fermata:job:1'><step id='s'><batchlet ref='b'/>"
                               "<x:pause on='' point='p' on-timeout='stop'/></step></job>"),
                ElementsAre("job.xml:1:100: error: step \"s\": on=\"\" is no exit status; on=\"*\" means any",
                            "job.xml:1:112: error: step \"s\": on-timeout=\"stop\" without a timeout; say when, as in "
                            "timeout=\"72h\""));
    EXPECT_THAT(diagnostics_of("<job id='j' version='2.0' xmlns:x='urn:fermata:job:1'><step id='s'><batchlet ref='b'/>"
                               "<x:pause on='*' point='p' timeout='1h' on-timeout='stop'/></step></job>"),
                IsEmpty());
}

TEST(Message, DocumentsThatAreRefused) {
    EXPECT_THAT(
        diagnostics_of("<!DOCTYPE job [<!ENTITY a 'b'>]>\n" + head + step + "</job>"),
        ElementsAre("job.xml:1:1: error: a DOCTYPE, and with it entities of its own, is not allowed in job XML"));
    EXPECT_THAT(diagnostics_of("<?xml version='1.0'?>\n<!DOCTYPE job SYSTEM 'job.dtd'><job/>"),
                ElementsAre(StartsWith("job.xml:2:1: error: a DOCTYPE")));
    std::string deep;
    for (int i = 0; i < 64; ++i) deep += "<a>";
    EXPECT_THAT(diagnostics_of(deep + "\n<a/>"),
                ElementsAre("job.xml:2:1: error: elements are nested more than 64 deep"));
    EXPECT_THAT(diagnostics_of(std::string((8U << 20) + 1, ' ')),
                ElementsAre("job.xml:1:1: error: the job XML is longer than 8 MiB"));
}

TEST(Message, DocumentsThatAreNotXml) {
    EXPECT_THAT(diagnostics_of(""), ElementsAre("job.xml:1:1: error: not well-formed XML: no element found"));
    EXPECT_THAT(diagnostics_of("id: job\n"), ElementsAre(StartsWith("job.xml:1:1: error: not well-formed XML: ")));
    EXPECT_THAT(diagnostics_of(head + "\n<step id='s'>\n</stp></job>"),
                ElementsAre("job.xml:3:3: error: not well-formed XML: mismatched tag; <step> of line 2 is still open"));
    EXPECT_THAT(
        diagnostics_of(head + "\n<step id='s'>"),
        ElementsAre("job.xml:2:14: error: not well-formed XML: no element found; <step> of line 2 is still open"));
    EXPECT_THAT(diagnostics_of("<job id='a' id='b'/>"),
                ElementsAre("job.xml:1:13: error: not well-formed XML: duplicate attribute"));
    EXPECT_THAT(diagnostics_of("<job id='&who;'/>"), ElementsAre(HasSubstr("not well-formed XML: undefined entity")));
    EXPECT_THAT(diagnostics_of("<x:job/>"), ElementsAre("job.xml:1:1: error: not well-formed XML: unbound prefix"));
    EXPECT_THAT(diagnostics_of("<job/><job/>"),
                ElementsAre("job.xml:1:7: error: not well-formed XML: junk after document element"));
}

TEST(Message, BytesThatAreNotInTheirEncoding) {
    EXPECT_THAT(diagnostics_of("<job id='j'>\n<!-- \xE9 --></job>"),
                ElementsAre("job.xml:2:6: error: these bytes are not UTF-8"));
    EXPECT_THAT(diagnostics_of("<?xml version='1.0' encoding='US-ASCII'?>\n<job id='\u00e9'/>"),
                ElementsAre("job.xml:2:10: error: these bytes are not US-ASCII"));
    EXPECT_THAT(diagnostics_of(std::string("\xFF\xFE<\0j\0o", 7)),
                ElementsAre(HasSubstr("these bytes are not UTF-16LE")));
    EXPECT_THAT(
        diagnostics_of("<?xml version='1.0' encoding='ISO-2022-CN-EXT'?><job/>"),
        ElementsAre("job.xml:1:1: error: the encoding \"ISO-2022-CN-EXT\" is not supported or not the one of these "
                    "bytes; save the file as UTF-8"));
    EXPECT_THAT(diagnostics_of("<?xml version='1.0' encoding='UTF-16'?><job/>"),
                ElementsAre(HasSubstr("the encoding \"UTF-16\" is not supported or not the one of these bytes")));
    EXPECT_THAT(diagnostics_of("<?xml version='1.0' encoding=?><job/>"),
                ElementsAre(HasSubstr("not well-formed XML: ")));
    EXPECT_THAT(diagnostics_of("<?xml version='1.0' encoding='x"), ElementsAre(HasSubstr("not well-formed XML: ")));
}

TEST(Message, ControlCharactersNeverReachTheTerminal) {
    for (const auto& text : diagnostics_of("<job id='&#10;' version='\u009b31m'><\u0085x/></job>")) {
        EXPECT_EQ(text.find('\n'), std::string::npos) << text;
    }
}

}  // namespace
}  // namespace fermata
