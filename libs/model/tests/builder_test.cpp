#include <fermata/base/error.hpp>
#include <fermata/model/builder.hpp>
#include <fermata/model/resolved_job.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace fermata {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<void()>& action) {
    try {
        action();
    } catch (const Error& error) {
        EXPECT_EQ(ErrorKind::invalid, error.kind());
        return error.what();
    }
    return "nothing was thrown";
}

TEST(Builder, SaysWhatTheXmlWouldSay) {
    const JobDefinition built = job("import")
                                    .property("region", "eu")
                                    .restartable(false)
                                    .step(chunk_step("load", 1000)
                                              .reader("orderReader", {{"file", "#{jobParameters['file']}"}})
                                              .processor("check")
                                              .writer("orderWriter")
                                              .skip({"fermata.Error"}, 5)
                                              .retry({"fermata.IoError"}, 3)
                                              .listener("counting")
                                              .property("max-rate", "10")
                                              .on("EMPTY", "report")
                                              .next("report"))
                                    .step(batchlet_step("report", "reportBatchlet", {{"region", "eu"}}))
                                    .build();
    const auto resolution = resolve(built, {{"file", "orders.csv"}}, {});
    ASSERT_TRUE(resolution.job);
    EXPECT_FALSE(resolution.job->restartable);
    const auto& chunk = std::get<ResolvedChunk>(std::get<ResolvedStep>(resolution.job->elements[0].what).work);
    EXPECT_EQ(1000, chunk.item_count);
    EXPECT_EQ(5, chunk.skip_limit);
    EXPECT_EQ(3, chunk.retry_limit);
    EXPECT_EQ("orderReader", chunk.reader.ref);
    EXPECT_EQ("orders.csv", chunk.reader.properties[0].value.str());
    EXPECT_EQ("check", chunk.processor->ref);
    EXPECT_EQ("fermata.Error", chunk.skippable.include[0].name);
    EXPECT_EQ("EMPTY", std::get<ResolvedStep>(resolution.job->elements[0].what).transitions[0].on);
    EXPECT_EQ("report", std::get<ResolvedStep>(resolution.job->elements[0].what).next);
    EXPECT_EQ("counting", std::get<ResolvedStep>(resolution.job->elements[0].what).listeners[0].ref);
    EXPECT_EQ(hash_of(built), hash_of(job_definition_from_json(to_json(built))));
}

TEST(Builder, TellsWhatIsMissing) {
    EXPECT_THAT(message_of([] { (void)job("j").build(); }), HasSubstr("job \"j\" has no steps"));
    EXPECT_THAT(message_of([] { (void)job("").step(batchlet_step("s", "b")).build(); }), HasSubstr("a job has no id"));
    EXPECT_THAT(message_of([] { (void)job("j").step(chunk_step("s").writer("w")).build(); }),
                HasSubstr("step \"s\" has no reader"));
    EXPECT_THAT(message_of([] { (void)job("j").step(chunk_step("s").reader("r")).build(); }),
                HasSubstr("step \"s\" has no writer"));
    EXPECT_THAT(message_of([] { (void)batchlet_step("s", "b").reader("r"); }),
                HasSubstr("step \"s\" is a batchlet step: it has no reader"));
    EXPECT_THAT(
        message_of([] { (void)job("j").step(batchlet_step("s", "b", {{"p", "#{jobParameters[x]}"}})).build(); }),
        HasSubstr("job \"j\": "));
}

TEST(Builder, WhatOnlyAStartCanTellNamesTheElementInPlaceOfALine) {
    const auto first_of = [](const JobDefinition& job) {
        return to_string(resolve(job, {}, {}).diagnostics.all().front());
    };
    EXPECT_EQ(first_of(job("j").step(batchlet_step("", "b")).build()), "error: step \"\": the id is empty");
    EXPECT_EQ(
        first_of(job("j").step(batchlet_step("s", "b", {{"p", "#{jobParameters['x']}"}})).build()),
        "error: parameter \"x\" is used but not given; give -p x=VALUE or a default: #{jobParameters['x']}?:VALUE;");
}

}  // namespace
}  // namespace fermata
