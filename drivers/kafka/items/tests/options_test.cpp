// What stands in job XML, and in a checkpoint.
#include "kafka_writer.hpp"
#include "reader_options.hpp"
#include "slices.hpp"

#include <fermata/items/kafka.hpp>
#include <fermata/items/testing/rig.hpp>

#include <cstdlib>

namespace fermata::kafka {
namespace {

using items::message_of;
using items::properties;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::UnorderedElementsAre;

using Pairs = std::vector<std::pair<std::string, std::string>>;

Pairs with_place(Pairs more) {
    more.insert(more.begin(), {{"url", "kafka://broker:9092"}, {"topic", "orders"}});
    return more;
}

TEST(KafkaUrl, NamesBrokersTopicAndSettings) {
    const Url url = Url::parse("kafka://a:9092,b:9093/orders?client.rack=x%26y&linger.ms=3");
    EXPECT_EQ(url.servers, "a:9092,b:9093");
    EXPECT_EQ(url.topic, "orders");
    EXPECT_THAT(url.settings, ElementsAre(Pair("client.rack", "x&y"), Pair("linger.ms", "3")));
    EXPECT_EQ(url.display(), "kafka://a:9092,b:9093");
    EXPECT_TRUE(Url::parse("kafka://a").settings.empty());
}

TEST(KafkaUrl, AUserMeansTlsAndAPasswordUnlessItSaysOtherwise) {
    ::setenv("KAFKA_TEST_SECRET", "p@ss/word:%", 1);
    const Url url = Url::parse("kafka://ann:@env:KAFKA_TEST_SECRET@a:9093/t");
    EXPECT_THAT(url.settings,
                UnorderedElementsAre(Pair("sasl.username", "ann"), Pair("sasl.password", "p@ss/word:%"),
                                     Pair("security.protocol", "sasl_ssl"), Pair("sasl.mechanisms", "PLAIN")));
    EXPECT_EQ(url.topic, "t");
    const Url other = Url::parse(
        "kafka://"
        "ann@a?security.protocol=sasl_plaintext&sasl.mechanism=SCRAM-SHA-256&ssl.key.password=@env:KAFKA_TEST_SECRET");
    EXPECT_THAT(other.settings,
                UnorderedElementsAre(Pair("sasl.username", "ann"), Pair("sasl.password", ""),
                                     Pair("security.protocol", "sasl_plaintext"),
                                     Pair("sasl.mechanism", "SCRAM-SHA-256"), Pair("ssl.key.password", "p@ss/word:%")));
    ::unsetenv("KAFKA_TEST_SECRET");
}

TEST(KafkaUrl, WhatIsNoneIsToldWithoutItsPassword) {
    const auto told = [](const std::string& url) {
        return message_of(ErrorKind::usage, [&] { (void)Url::parse(url); });
    };
    EXPECT_THAT(told("postgres://ann:secret@a"), HasSubstr("\"postgres://ann@a\" does not begin with kafka://"));
    EXPECT_THAT(told("kafka://"), HasSubstr("names no host"));
    EXPECT_THAT(told("kafka://a:1,:2"), HasSubstr("names no host before port or comma: \"a:1,:2\""));
    EXPECT_THAT(told("kafka://a?=3"), HasSubstr("a setting without a name"));
    for (const char* wrong : {"kafka://a?x=%", "kafka://a?x=%4", "kafka://a?x=%zz", "kafka://a?x=%4g"})
        EXPECT_THAT(told(wrong), HasSubstr("write % itself as %25"));
    EXPECT_EQ(Url::parse("kafka://a?x=%aF").settings[0].second, "\xaf");
}

TEST(KafkaUrl, ASecretThatIsNotThereIsRefusedInItsPlace) {
    const Properties given = properties({{"url", "kafka://ann:@env:NO_SUCH_THING@a"}, {"topic", "t"}}, "reader \"r\"");
    for (const PropertyRule& rule : {ReaderOptions::rules().front(), WriterOptions::rules().front()})
        EXPECT_THAT(message_of(ErrorKind::refused, [&] { rule(given); }),
                    HasSubstr("reader \"r\": property \"url\": \"@env:NO_SUCH_THING\""));
}

ReaderOptions options(const Pairs& values) { return ReaderOptions::of(properties(with_place(values))); }

TEST(KafkaReaderOptions, HaveDefaults) {
    const ReaderOptions plain = options({});
    EXPECT_TRUE(plain.partitions.empty());
    EXPECT_EQ(plain.from, ReaderOptions::From::beginning);
    EXPECT_FALSE(plain.idle);
    EXPECT_EQ(plain.format, Format::text);
    EXPECT_EQ(plain.columns.size(), 6U);
    EXPECT_THAT(options({{"format", "json"}}).columns, ElementsAre(Column::value));
}

TEST(KafkaReaderOptions, AreRead) {
    const ReaderOptions all = options({{"partitions", "4, 0-2,1"},
                                       {"from", "2026-11-21T22:00:06.5Z"},
                                       {"until", "10s"},
                                       {"format", "bytes"},
                                       {"columns", "offset, key"}});
    EXPECT_THAT(all.partitions, ElementsAre(0, 1, 2, 4));
    EXPECT_EQ(all.from, ReaderOptions::From::time);
    EXPECT_EQ(all.from_time, 1795298406500);
    EXPECT_EQ(all.idle, std::chrono::seconds(10));
    EXPECT_EQ(all.format, Format::bytes);
    EXPECT_THAT(all.columns, ElementsAre(Column::offset, Column::key));
    EXPECT_EQ(options({{"from", "end"}}).from, ReaderOptions::From::end);
}

/// What `validate` says about the one property that is wrong.
std::string finding(const std::vector<PropertyRule>& rules, const Pairs& values) {
    return message_of(ErrorKind::invalid, [&] {
        for (const PropertyRule& rule : rules) rule(properties(values));
    });
}

TEST(KafkaReaderOptions, WhatIsWrongIsTold) {
    const auto told = [](const Pairs& values) { return finding(ReaderOptions::rules(), with_place(values)); };
    EXPECT_THAT(told({{"partitions", "1,x"}}), HasSubstr("property \"partitions\": \"x\" is no number"));
    for (const char* wrong : {"3-1", "-1", "1-", "0-100000"})
        EXPECT_THAT(told({{"partitions", wrong}}), HasSubstr("is no number and no range"));
    EXPECT_THAT(told({{"from", "begining"}}), HasSubstr("did you mean \"beginning\"?"));
    EXPECT_THAT(told({{"until", "never"}}), HasSubstr("\"never\" is neither end nor a duration"));
    EXPECT_THAT(told({{"until", "0s"}}), HasSubstr("\"0s\" is neither"));
    EXPECT_THAT(told({{"format", "jsn"}}), HasSubstr("\"jsn\" is none of text, json, bytes; did you mean \"json\"?"));
    EXPECT_THAT(told({{"columns", "key,ofset"}}), HasSubstr("did you mean \"offset\"?"));
    EXPECT_THAT(told({{"columns", "key,key"}}), HasSubstr("\"key\" stands twice"));
    EXPECT_THAT(told({{"timeout", "0.5s"}}), HasSubstr("property \"timeout\""));
    EXPECT_THAT(told({{"timeout", "500ms"}}), HasSubstr("is not between 1s and 24h"));
    for (const char* wrong : {"", "..", "a b", "a/b"})
        EXPECT_THAT(finding(ReaderOptions::rules(), {{"url", "kafka://a"}, {"topic", wrong}}),
                    HasSubstr("is no name of a topic"));
    EXPECT_THAT(finding(ReaderOptions::rules(), {{"url", "http://a"}, {"topic", "t"}}),
                HasSubstr("property \"url\": the Kafka URL \"http://a\""));
}

TEST(KafkaWriterOptions, AreReadAndJudged) {
    const WriterOptions json = WriterOptions::of(properties(with_place({{"key", "id"}})));
    EXPECT_EQ(json.format, Format::json);
    EXPECT_EQ(json.key, "id");
    EXPECT_EQ(WriterOptions::of(properties(with_place({{"format", "bytes"}, {"value", "v"}}))).value, "v");
    const auto told = [](const Pairs& values) { return finding(WriterOptions::rules(), with_place(values)); };
    EXPECT_THAT(told({{"value", "v"}}), HasSubstr("json writes all columns"));
    EXPECT_THAT(told({{"format", "text"}}), HasSubstr("property \"value\": is needed with this format"));
    EXPECT_THAT(told({{"format", "texts"}}), HasSubstr("did you mean \"text\"?"));
    EXPECT_THAT(told({{"key", ""}}), HasSubstr("property \"key\": names no column"));
}

TEST(KafkaCheckpoint, ComesBackAsItWas) {
    const Reading reading{.cluster = "",
                          .topic = "orders",
                          .slices = {{.partition = 0, .begin = 1, .next = 2, .end = 40}, {.partition = 7, .next = 5}}};
    EXPECT_EQ(reading.to_checkpoint().bytes(), "- orders 0:1:2:40 7:0:5:");
    const Reading again = Reading::from(reading.to_checkpoint());
    EXPECT_EQ(again.cluster, "");
    EXPECT_EQ(again.topic, "orders");
    EXPECT_EQ(again.slices, reading.slices);
    EXPECT_EQ(again.fraction(), -1);
}

TEST(KafkaCheckpoint, OfSomebodyElseIsRefused) {
    for (const char* text : {"", "17", "c t 0", "c t 0:1:2", "c t 0:1:2:x",
                             "c t -1:1:2:", "c t 9999999999:0:0:", "c t 0:1:2:3:4", "c t 0:1::3"})
        EXPECT_THAT(message_of(ErrorKind::refused, [&] { (void)Reading::from(Checkpoint(text)); }),
                    HasSubstr("checkpoint unreadable"))
            << text;
}

TEST(KafkaArtifacts, AreKnownWithoutADriver) {
    Registry registry;
    add_kafka_artifacts(registry);
    ASSERT_NE(registry.find(ArtifactKind::reader, "kafkaReader"), nullptr);
    ASSERT_NE(registry.find(ArtifactKind::writer, "kafkaWriter"), nullptr);
    EXPECT_THAT(registry.classes_of(KafkaError(ErrorKind::unreachable, "x")),
                ::testing::Contains("fermata.KafkaError"));
    items::Surroundings around{"/tmp"};
    const Properties given = properties(with_place({}));
    EXPECT_THAT(
        message_of(
            ErrorKind::refused,
            [&] { registry.find(ArtifactKind::reader, "kafkaReader")->make_reader(around.context(given))->open({}); }),
        HasSubstr("no Kafka driver"));
    EXPECT_THAT(
        message_of(
            ErrorKind::refused,
            [&] { registry.find(ArtifactKind::writer, "kafkaWriter")->make_writer(around.context(given))->open({}); }),
        HasSubstr("no Kafka driver"));
}

}  // namespace
}  // namespace fermata::kafka
