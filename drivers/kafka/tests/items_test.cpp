#include "fixture.hpp"

#include <cstdlib>
#include <set>

namespace fermata::kafka {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

class KafkaOnABroker : public OnKafka {};

TEST_F(KafkaOnABroker, TheReaderObeysItsLawTransactionsIncluded) {
    KafkaTopic topic(2);
    topic.send({{.partition = 0, .key = "k", .value = "a", .headers = {{"h", "1"}}, .timestamp = 1000},
                {.partition = 1, .value = "b", .timestamp = 2000}});
    topic.send_in_transaction({{.partition = 0, .value = "never"}}, false);
    topic.send_in_transaction({{.partition = 0, .value = "c", .timestamp = 3000}});
    items::expect_reader_law([&] { return reader(topic.name()); });
    const auto all = reader(topic.name(), {{"columns", "value"}});
    all->open({});
    EXPECT_THAT(values(*all), ElementsAre("a", "c", "b"));
    const auto late = reader(topic.name(), {{"from", "1970-01-01T00:00:02Z"}, {"columns", "value"}});
    late->open({});
    EXPECT_THAT(values(*late), ElementsAre("c", "b"));
    const auto never = reader(topic.name(), {{"from", "2100-01-01T00:00:02Z"}, {"columns", "value"}});
    never->open({});
    EXPECT_THAT(values(*never), IsEmpty());
}

TEST_F(KafkaOnABroker, WhatCameSinceIsReadUntilNothingComes) {
    KafkaTopic topic(2);
    topic.send({{.partition = 0, .value = "a"}, {.partition = 1, .value = "b"}});
    const auto from = reader(topic.name(), {{"until", "300ms"}});
    from->open({});
    EXPECT_THAT(values(*from), UnorderedElementsAre("a", "b"));
    topic.send({{.partition = 1, .value = "c"}});
    const auto again = reader(topic.name(), {{"until", "300ms"}});
    again->open(from->checkpoint());
    EXPECT_THAT(values(*again), ElementsAre("c"));
}

TEST_F(KafkaOnABroker, MessagesThatAreGoneAndTopicsMadeAnewAreRefused) {
    KafkaTopic topic;
    topic.send({{.value = "a"}, {.value = "b"}, {.value = "c"}});
    const auto from = reader(topic.name());
    from->open({});
    TypedItemBuffer<Record> buffer;
    ASSERT_TRUE(items::next_of(*from, buffer));
    const Checkpoint checkpoint = from->checkpoint();
    topic.forget_before(0, 2);
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { reader(topic.name())->open(checkpoint); }),
                HasSubstr("/0 holds the offsets 2 to 3, reading stood at 1 and was to end at 3"));
    topic.remove();
    ASSERT_TRUE(comes_true([&] {  // it goes in the background
        try {
            return topic.create(1), true;
        } catch (const std::runtime_error&) {
            return false;
        }
    }));
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { reader(topic.name())->open(checkpoint); }),
                HasSubstr("holds the offsets 0 to 0"));
}

TEST_F(KafkaOnABroker, AnOffsetThatIsNotThereEndsReading) {
    KafkaTopic topic;
    topic.send({{.value = "a"}});
    const auto source = driver().source(Url::parse(url()), topic.name(), {});
    source->start(0, 17);
    EXPECT_THAT(message_of(ErrorKind::refused,
                           [&] {
                               while (!source->next(std::chrono::seconds(1)).message) continue;
                           }),
                AllOf(HasSubstr(topic.name() + "/0 at " + url()), HasSubstr("ut of range")));
    source->stop(0);
    EXPECT_THAT(message_of<KafkaError>([&] { (void)source->watermarks(9); }), HasSubstr("offsets of " + topic.name()));
    EXPECT_THAT(message_of<KafkaError>([&] { (void)source->offset_at(9, 1); }), HasSubstr("by time"));
    EXPECT_THAT(message_of<KafkaError>([&] { source->start(-7, 0); }), HasSubstr(topic.name() + "/-7"));
}

TEST_F(KafkaOnABroker, ATopicThatIsNotThereIsToldWithOneThatIsNear) {
    const KafkaTopic topic;
    const auto told = HasSubstr("there is no topic \"" + topic.name() + "x\" at " + url());
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { reader(topic.name() + "x")->open({}); }), told);
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { writer(topic.name() + "x")->open({}); }),
                AllOf(told, HasSubstr("did you mean \"test-")));
}

TEST_F(KafkaOnABroker, WrittenRecordsHaveKeysAndIdsAndTheirKeysPartition) {
    KafkaTopic topic(3);
    const auto to = writer(topic.name(), {{"key", "value"}});
    to->open({});
    transaction_.generation = 1;
    std::vector<std::string> sent;
    for (int i = 0; i < 600; ++i) sent.push_back(std::to_string(i % 50));
    for (std::size_t chunk = 0; chunk < 3; ++chunk) {
        transaction_.sequence = static_cast<std::int64_t>(chunk);
        to->write(records({sent.begin() + static_cast<std::ptrdiff_t>(chunk * 200),
                           sent.begin() + static_cast<std::ptrdiff_t>(chunk * 200 + 200)}),
                  transaction_);
    }
    std::set<std::string> ids;
    std::map<std::string, std::set<std::int32_t>> places;
    for (const KafkaMessage& message : topic.read()) {
        ASSERT_EQ(message.value, "{\"value\":\"" + *message.key + "\"}");
        ASSERT_EQ(message.headers.size(), 1U);
        EXPECT_EQ(message.headers[0].first, "fermata-id");
        ids.insert(message.headers[0].second);
        places[*message.key].insert(message.partition);
    }
    EXPECT_EQ(ids.size(), 600U);
    EXPECT_TRUE(ids.contains("7d4f4c60-0000-4000-8000-000000000001/load/-/1/2/199"));
    EXPECT_EQ(places.size(), 50U);
    for (const auto& [key, partitions] : places) EXPECT_EQ(partitions.size(), 1U) << key;
    EXPECT_EQ(places["0"], std::set<std::int32_t>{2}) << "as Java's clients place it";
}

TEST_F(KafkaOnABroker, ARecordThatIsTooLargeIsNamedByClientAndBroker) {
    KafkaTopic topic;
    const std::string large(2'000'000, 'x');
    const Pairs text{{"format", "text"}, {"value", "value"}};
    for (const char* setting : {"", "?message.max.bytes=9000000"}) {
        const auto to = writer(topic.name(), text, url() + setting);
        to->open({});
        EXPECT_THAT(message_of<ConstraintError>([&] { to->write(records({"small", large}), transaction_); }),
                    AllOf(HasSubstr("record 2: topic \"" + topic.name()), HasSubstr("Message size too large")));
        to->write(records({"next"}), transaction_);
    }
    EXPECT_EQ(topic.read().size(), 4U);
}

TEST_F(KafkaOnABroker, ALongListGoesThroughAShortQueue) {
    KafkaTopic topic;
    const auto to =
        writer(topic.name(), {{"format", "text"}, {"value", "value"}}, url() + "?queue.buffering.max.messages=10");
    to->open({});
    to->write(records(std::vector<std::string>(500, "x")), transaction_);
    EXPECT_EQ(topic.read().size(), 500U);
}

TEST_F(KafkaOnABroker, TlsAndAPasswordAreThoseOfTheUrl) {
    KafkaTopic topic;
    topic.send({{.value = "a"}});
    const auto secure = [&](const std::string& user) {
        return "kafka://" + user + "@" + KafkaBroker::shared().secure() +
               "?ssl.ca.location=" + KafkaBroker::shared().certificate().string();
    };
    ::setenv("FERMATA_TEST_PASSWORD", KafkaBroker::password, 1);
    const auto from = reader(topic.name(), {}, secure("fermata:@env:FERMATA_TEST_PASSWORD"));
    from->open({});
    EXPECT_THAT(values(*from), ElementsAre("a"));
    ::unsetenv("FERMATA_TEST_PASSWORD");
    EXPECT_THAT(
        message_of<KafkaError>([&] { reader(topic.name(), {{"timeout", "1s"}}, secure("fermata:wrong"))->open({}); }),
        AllOf(HasSubstr("SASL authentication error"), Not(HasSubstr("wrong"))));
}

TEST(KafkaWithoutABroker, WhatItIsToldIsJudgedBeforeAnybodyIsAsked) {
    const auto told = [](ErrorKind kind, const std::string& url) {
        return message_of(kind, [&] { (void)driver().source(Url::parse(url), "t", {}); });
    };
    EXPECT_THAT(told(ErrorKind::usage, "kafka://a?no.such.thing=1"), HasSubstr("No such configuration property"));
    EXPECT_THAT(told(ErrorKind::usage, "kafka://a?linger.ms=x"), HasSubstr("Invalid value for"));
    EXPECT_THAT(told(ErrorKind::usage, "kafka://a?enable.auto.commit=true"),
                HasSubstr("enable.auto.commit cannot be set"));
    EXPECT_THAT(told(ErrorKind::refused, "kafka://ann:secret@a?ssl.ca.location=/nowhere.pem"),
                AllOf(HasSubstr("kafka://a: ssl.ca.location failed"), Not(HasSubstr("secret"))));
}

TEST(KafkaWithoutABroker, NobodyThereIsTold) {
    const Manner manner{.patience = std::chrono::milliseconds(500)};
    const auto source = driver().source(Url::parse("kafka://127.0.0.1:1"), "t", manner);
    EXPECT_THAT(message_of<KafkaError>([&] { (void)source->cluster(); }),
                AllOf(HasSubstr("kafka://127.0.0.1:1: topic t: "), HasSubstr("Connection refused")));
    EXPECT_THAT(source->trouble(), HasSubstr("Connection refused"));
}

}  // namespace
}  // namespace fermata::kafka
