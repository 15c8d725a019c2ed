// What a pause asks for, as it is kept and checked.
#include <fermata/base/error.hpp>
#include <fermata/model/builder.hpp>
#include <fermata/model/pause.hpp>
#include <fermata/model/resolved_job.hpp>

#include <gmock/gmock.h>

namespace fermata {
namespace {

using ::testing::HasSubstr;

TEST(PauseModel, AStepsPauseIsKeptWhole) {
    const StepPause pause{.what = {.point = "approve",
                                   .message = "is it \"right\"?",
                                   .signals = 300,
                                   .timeout = Duration(7),
                                   .on_timeout = OnTimeout::resume,
                                   .notify = "mail ann"},
                          .after = true};
    EXPECT_EQ(decode_step_pause(encode(pause)), pause);
    const StepPause plain{.what = {.point = "p"}};
    EXPECT_EQ(decode_step_pause(encode(plain)), plain);
    EXPECT_THROW((void)decode_step_pause("{}"), Error);
    EXPECT_THROW((void)decode_step_pause("?"), Error);
}

TEST(PauseModel, NamesAreReadAsTheyAreWritten) {
    for (const auto what : {OnTimeout::fail, OnTimeout::stop, OnTimeout::resume})
        EXPECT_EQ(parse_on_timeout(to_string(what)), what);
    for (const auto kind : {PauseKind::after, PauseKind::within, PauseKind::outside})
        EXPECT_EQ(parse_pause_kind(to_string(kind)), kind);
    EXPECT_EQ(parse_on_timeout("FAIL"), std::nullopt);
    EXPECT_EQ(parse_pause_kind(""), std::nullopt);
}

TEST(PauseModel, APayloadIsJsonOfLimitedSize) {
    EXPECT_NO_THROW(check_payload("[1]"));
    EXPECT_THROW(check_payload("by ann"), Error);
    EXPECT_THROW(check_payload(std::string(largest_payload + 1, ' ')), Error);
}

JobDefinition waiting(const PauseRequest& what, std::string_view to = {}) {
    return job("j").step(batchlet_step("a", "x").pause_on("V*", what, to)).step(batchlet_step("b", "x")).build();
}

TEST(PauseModel, TheBuilderSaysWhatJobXmlSays) {
    const PauseRequest what{
        .point = "approve", .message = "m", .signals = 3, .timeout = std::chrono::hours(72), .notify = "mail"};
    const JobDefinition definition = waiting(what, "b");
    const Resolution resolved = resolve(definition, {}, {});
    ASSERT_TRUE(resolved.job);
    const ResolvedTransition& transition = resolved.job->find("a")->transitions.at(0);
    EXPECT_EQ(transition.pause, what);
    EXPECT_EQ(transition.to, "b");
    EXPECT_THAT(describe(*resolved.job), HasSubstr("on \"V*\": pause at \"approve\" for 3 signals, fail after"));
    EXPECT_EQ(to_json(job_definition_from_json(to_json(definition))), to_json(definition));
    EXPECT_NE(hash_of(definition), hash_of(waiting({.point = "other"}, "b")));
    EXPECT_THAT(describe(*resolve(waiting({.point = "p"}), {}, {}).job), HasSubstr("then as without it"));
}

TEST(PauseModel, WhatIsWrongIsTold) {
    const auto findings = [](const JobDefinition& definition) {
        std::string text;
        const Resolution resolved = resolve(definition, {}, {});
        for (const Diagnostic& found : resolved.diagnostics.all()) text += to_string(found) + "\n";
        return text;
    };
    EXPECT_THAT(findings(waiting({.point = ""})), HasSubstr("a pause has an empty point"));
    EXPECT_THAT(findings(waiting({.point = "p", .signals = 0})), HasSubstr("signals=\"0\" must be at least 1"));
    EXPECT_THAT(findings(waiting({.point = "p"}, "nowhere")),
                HasSubstr("fer:pause on=\"V*\" to=\"nowhere\" names nothing in this job"));
    EXPECT_THAT(findings(waiting({.point = "p", .notify = "mail #{jobParameters['x']}"})),
                HasSubstr("notify must not contain expressions"));
    EXPECT_THAT(findings(waiting({.point = "p", .notify = " "})), HasSubstr("notify=\"\" is no command"));
    JobDefinition wrong = waiting({.point = "p"}, "b");
    auto& pause = *std::get<StepDefinition>(wrong.elements[0].what).transitions[0].pause;
    pause.timeout = Template::literal("soon");
    pause.on_timeout = Template::literal("wait");
    EXPECT_THAT(findings(wrong), HasSubstr("timeout=\"soon\" is no duration"));
    EXPECT_THAT(findings(wrong), HasSubstr(R"(on-timeout="wait" is neither)"));
}

}  // namespace
}  // namespace fermata
