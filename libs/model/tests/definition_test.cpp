// The stored form of a definition, its hash, and what people are shown of it.
#include "jobs.hpp"

#include <fermata/base/error.hpp>
#include <fermata/model/graph.hpp>

#include <gmock/gmock.h>

#include <functional>
#include <random>
#include <utility>

namespace fermata {
namespace {

using namespace testing_model;
using testing::HasSubstr;

JobDefinition full_job() {
    ChunkDefinition chunk{.checkpoint_policy = text("custom", {6, 10}),
                          .item_count = text("#{jobParameters['n']}?:100;", {6, 20}),
                          .time_limit = text("60"),
                          .skip_limit = text("5"),
                          .retry_limit = text("0"),
                          .reader = artifact("csvReader", {{"resource", "#{jobParameters['in']}"}}, 7),
                          .processor = artifact("map"),
                          .writer = artifact("sqlWriter", {{"table", "vendors"}}),
                          .checkpoint_algorithm = artifact("algorithm"),
                          .at = {6, 3}};
    chunk.skippable = {{{text("A"), {9, 1}}}, {{text("B"), {10, 1}}}};
    chunk.retryable.include.push_back({text("C")});
    chunk.no_rollback.exclude.push_back({text("D")});
    auto load = chunk_step("load", chunk, 5);
    load.start_limit = text("3");
    load.allow_start_if_complete = text("true");
    load.properties = properties({{"p", "x"}});
    load.listeners = {artifact("rejectFile", {{"file", "r\u00e9jects\n.csv"}})};
    using Kind = TransitionDefinition::Kind;
    load.transitions = {{.kind = Kind::end, .on = text("DONE"), .exit_status = text("OK")},
                        {.kind = Kind::fail, .on = text("BAD*"), .exit_status = text("\"BAD\"")},
                        {.kind = Kind::stop, .on = text("W"), .exit_status = text("WAIT"), .restart = text("report")},
                        next_on("*", "report", 12)};
    auto report = batchlet_step("report", 14);
    report.next = text("clean up", {14, 9});
    auto job = job_of({load, report, batchlet_step("clean up")});
    job.id = "nightly";
    job.restartable = text("false");
    job.properties = properties({{"date", "#{jobParameters['d']}?:today;"}}, 2);
    job.listeners = {artifact("l")};
    job.source = "<job …/>";
    return job;
}

// ---- JSON and hash

TEST(Definition, SurvivesItsStoredForm) {
    const auto job = full_job();
    const auto json = to_json(job);
    const auto again = job_definition_from_json(json);
    EXPECT_EQ(to_json(again), json);
    EXPECT_EQ(hash_of(again), hash_of(job));
    EXPECT_EQ(again.source, job.source);
    EXPECT_EQ(again.file, "job.xml");
    const Parameters parameters{{"in", "a.csv"}};
    EXPECT_EQ(describe(resolved(again, parameters)), describe(resolved(job, parameters)));
    EXPECT_EQ(told(again), told(job)) << "messages point to the same places";
}

TEST(Definition, SurvivesItsStoredFormWithAnyBytes) {
    auto job = full_job();
    job.source = std::string("\xFF\xFE<\0j\0", 6);
    job.id = "\xC3";
    job.properties[0].name = std::string("\0", 1);
    const auto again = job_definition_from_json(to_json(job));
    EXPECT_EQ(again.source, job.source);
    EXPECT_EQ(again.id, job.id);
    EXPECT_EQ(again.properties[0].name, job.properties[0].name);
}

TEST(Definition, HasTheSameStoredBytesAlways) {
    EXPECT_EQ(to_json(job_of({batchlet_step("s", 2)})),
              R"({"at":[1,1],"elements":[{"step":{"allow-start-if-complete":{"at":[0,0],"text":"false"},"at":[2,3],)"
              R"("id":"s","listeners":[],"next":null,"partition":null,"properties":[],"start-limit":{"at":[0,0],)"
              R"("text":"0"},"transitions":[],"work":{"batchlet":{"at":[0,3],"properties":[],"ref":{"at":[0,0],)"
              R"("text":"b"}}}}}],"file":"job.xml","id":"j","listeners":[],"properties":[],"restartable":{"at":[0,0],)"
              R"("text":"true"},"schema":"fermata.definition/1","source":""})");
}

TEST(Definition, HashIsSha256OfTheMeaning) {
    const auto hash = hash_of(full_job());
    EXPECT_EQ(hash.size(), 64U);
    EXPECT_EQ(hash.find_first_not_of("0123456789abcdef"), std::string::npos);
    EXPECT_EQ(hash_of(job_of({batchlet_step("s")})),
              "7f65ee7d43a068692d5b6a6160ab071360cd2d53f8d22b43be8a37a257d1912b");

    auto moved = full_job();
    moved.source += "<!-- a comment -->";
    moved.file = "other.xml";
    moved.at = {9, 9};
    step_at(moved, 0).at = {9, 9};
    EXPECT_EQ(hash_of(moved), hash);
}

TEST(Definition, HashChangesWithEveryPart) {
    const auto hash = hash_of(full_job());
    const std::vector<std::function<void(JobDefinition&)>> changes = {
        [](JobDefinition& j) { j.id = "x"; },
        [](JobDefinition& j) { j.restartable = text("true"); },
        [](JobDefinition& j) { j.properties[0].value = text("x"); },
        [](JobDefinition& j) { j.listeners.clear(); },
        [](JobDefinition& j) { j.elements.pop_back(); },
        [](JobDefinition& j) { std::swap(j.elements[1], j.elements[2]); },
        [](JobDefinition& j) { step_at(j, 0).start_limit = text("4"); },
        [](JobDefinition& j) { step_at(j, 1).next.reset(); },
        [](JobDefinition& j) { step_at(j, 0).transitions[0].kind = TransitionDefinition::Kind::fail; },
        [](JobDefinition& j) { step_at(j, 0).transitions[2].restart.reset(); },
        [](JobDefinition& j) { std::get<ChunkDefinition>(step_at(j, 0).work).skip_limit.reset(); },
        [](JobDefinition& j) { std::get<ChunkDefinition>(step_at(j, 0).work).skippable.exclude.clear(); },
        [](JobDefinition& j) { std::get<ChunkDefinition>(step_at(j, 0).work).processor.reset(); },
    };
    for (std::size_t i = 0; i < changes.size(); ++i) {
        auto job = full_job();
        changes[i](job);
        EXPECT_NE(hash_of(job), hash) << "change " << i;
    }
}

void expect_unreadable(const std::string& json) {
    try {
        static_cast<void>(job_definition_from_json(json));
        ADD_FAILURE() << "was read: " << json;
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::refused);
        EXPECT_THAT(error.what(), testing::StartsWith("stored job definition unreadable: "));
        EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
    const auto at = text.find(from);
    EXPECT_NE(at, std::string::npos) << from;
    return text.replace(at, from.size(), to);
}

TEST(Definition, UnreadableStoredFormsAreRefused) {
    const auto json = to_json(full_job());
    expect_unreadable("");
    expect_unreadable("{}");
    expect_unreadable("[1, 2]");
    expect_unreadable(json.substr(0, json.size() / 2));
    expect_unreadable(replaced(json, "definition/1", "definition/2"));
    expect_unreadable(replaced(json, R"("id":"nightly")", R"("id":7)"));
    expect_unreadable(replaced(json, R"("id":"nightly")", R"("id":{"hex":"zz"})"));
    expect_unreadable(replaced(json, R"("kind":1)", R"("kind":9)"));
    expect_unreadable(replaced(json, "?:today;", "?:today"));
    expect_unreadable(replaced(json, R"("at":[1,1])", R"("at":[1])"));
}

TEST(Definition, DamagedStoredFormsAreReadOrRefusedButNeverWorse) {
    const auto json = to_json(full_job());
    std::mt19937 random(7);
    for (int round = 0; round < 300; ++round) {
        auto damaged = json;
        damaged[random() % damaged.size()] = static_cast<char>(random());
        try {
            static_cast<void>(to_json(job_definition_from_json(damaged)));
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::refused);
        }
    }
}

// ---- describe

TEST(Describe, TellsEveryFactOnALineOfItsOwn) {
    EXPECT_EQ(describe(resolved(full_job(), {{"in", "a \"b\".csv"}})), R"(job "nightly"
  restartable: false
  property date = "today"
  listener "l"
  step "load"
    start-limit: 3
    allow-start-if-complete: true
    property p = "x"
    listener "rejectFile"
      property file = "réjects\n.csv"
    chunk
      checkpoint: when the checkpoint-algorithm says so
      skip-limit: 5
      retry-limit: 0
      reader "csvReader"
        property resource = "a "b".csv"
      processor "map"
      writer "sqlWriter"
        property table = "vendors"
      checkpoint-algorithm "algorithm"
      skippable: A
      skippable: not B
      retryable: C
      no-rollback: not D
    on "DONE": end, exit status "OK"
    on "BAD*": fail, exit status ""BAD""
    on "W": stop, exit status "WAIT", restart at "report"
    on "*": next "report"
    otherwise: the job ends
  step "report"
    start-limit: unlimited
    allow-start-if-complete: false
    batchlet "b"
    then: next "clean up"
  step "clean up"
    start-limit: unlimited
    allow-start-if-complete: false
    batchlet "b"
    then: the job ends
)");
}

TEST(Describe, SaysWhenAChunkIsCommitted) {
    const auto line = [](ChunkDefinition chunk) {
        return describe(resolved(job_of({chunk_step("s", std::move(chunk))})));
    };
    EXPECT_THAT(line({}),
                HasSubstr("checkpoint: every 10 items\n      skip-limit: unlimited\n      retry-limit: unlimited"));
    EXPECT_THAT(line({.item_count = text("1")}), HasSubstr("checkpoint: every 1 item\n"));
    EXPECT_THAT(line({.item_count = text("5"), .time_limit = text("30")}),
                HasSubstr("checkpoint: every 5 items or 30 s\n"));
}

// ---- graph

TEST(Graph, AsText) {
    EXPECT_EQ(graph_text(full_job()), R"(nightly
  load
    DONE -> COMPLETED (OK)
    BAD* -> FAILED ("BAD")
    W -> STOPPED (WAIT)
    W -> restart at report
    * -> report
  report
    -> clean up
  clean up
    -> COMPLETED
)");
}

TEST(Graph, WithoutACatchAllTheNextAttributeFollows) {
    auto job = job_of({batchlet_step("a"), batchlet_step("b")});
    step_at(job, 0).transitions = {next_on("X", "b")};
    EXPECT_EQ(graph_text(job), "j\n  a\n    X -> b\n    otherwise -> COMPLETED\n  b\n    -> COMPLETED\n");
    step_at(job, 0).next = text("#{jobParameters['n']}");
    EXPECT_THAT(graph_text(job), HasSubstr("    otherwise -> #{jobParameters['n']}\n"));
}

TEST(Graph, AsDot) {
    EXPECT_EQ(graph_dot(full_job()), R"dot(digraph "nightly" {
    rankdir=LR;
    node [shape=box];
    "step load" [label="load"];
    "end COMPLETED (OK)" [label="COMPLETED (OK)", shape=ellipse];
    "end FAILED (\"BAD\")" [label="FAILED (\"BAD\")", shape=ellipse];
    "end STOPPED (WAIT)" [label="STOPPED (WAIT)", shape=ellipse];
    "step report" [label="report"];
    "step clean up" [label="clean up"];
    "end COMPLETED" [label="COMPLETED", shape=ellipse];
    "step load" -> "end COMPLETED (OK)" [label="DONE"];
    "step load" -> "end FAILED (\"BAD\")" [label="BAD*"];
    "step load" -> "end STOPPED (WAIT)" [label="W"];
    "step load" -> "step report" [label="W"] [style=dashed];
    "step load" -> "step report" [label="*"];
    "step report" -> "step clean up";
    "step clean up" -> "end COMPLETED";
}
)dot");
}

TEST(Graph, AnEndThatSeveralStepsShareIsDrawnOnce) {
    const auto dot = graph_dot(job_of({batchlet_step("a"), batchlet_step("b")}));
    EXPECT_EQ(dot.find("shape=ellipse"), dot.rfind("shape=ellipse"));
}

// ---- diagnostics

TEST(Diagnostic, IsPrintedWithWhatIsKnownOfItsPlace) {
    using Severity = Diagnostic::Severity;
    EXPECT_EQ(to_string(Diagnostic{Severity::error, "a.xml", {1, 2}, "m"}), "a.xml:1:2: error: m");
    EXPECT_EQ(to_string(Diagnostic{Severity::warning, "", {1, 2}, "m"}), "1:2: warning: m");
    EXPECT_EQ(to_string(Diagnostic{Severity::error, "a.xml", {}, "m"}), "a.xml: error: m");
    EXPECT_EQ(to_string(Diagnostic{Severity::error, "", {}, "m"}), "error: m");
}

TEST(Diagnostic, WarningsAreNoErrorsAndSortingKeepsTheOrderOfOnePlace) {
    Diagnostics diagnostics;
    diagnostics.warning("f", {2, 1}, "third");
    diagnostics.warning("f", {1, 5}, "first");
    diagnostics.warning("f", {1, 5}, "second");
    EXPECT_FALSE(diagnostics.has_errors());
    Diagnostics more;
    more.error("f", {10, 1}, "fourth");
    diagnostics.append(more);
    EXPECT_TRUE(diagnostics.has_errors());
    diagnostics.sort();
    EXPECT_THAT(texts_of(diagnostics), testing::ElementsAre("f:1:5: warning: first", "f:1:5: warning: second",
                                                            "f:2:1: warning: third", "f:10:1: error: fourth"));
}

}  // namespace
}  // namespace fermata
