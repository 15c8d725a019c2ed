// Reader and writer over a topic in memory. drivers/kafka/tests has them on a real broker.
#include "fake_kafka.hpp"
#include "kafka_reader.hpp"
#include "kafka_writer.hpp"

#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>

namespace fermata::kafka {
namespace {

using items::message_of;
using items::properties;
using ::testing::ElementsAre;
using testing::FakeTopic;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

using Pairs = std::vector<std::pair<std::string, std::string>>;

class KafkaItems : public ::testing::Test {
protected:
    std::unique_ptr<KafkaReader> reader(Pairs values = {}) {
        values.insert(values.begin(), {{"url", "kafka://broker"}, {"topic", "orders"}, {"timeout", "1s"}});
        const Properties given = properties(values);
        return std::make_unique<KafkaReader>(surroundings_.context(given), driver_of(topic_));
    }
    std::unique_ptr<KafkaReader> opened(const Pairs& values = {}, const Checkpoint& from = {}) {
        auto made = reader(values);
        made->open(from);
        return made;
    }
    /// The next record's value, or what was wrong; nothing at the end.
    static std::optional<std::string> next(KafkaReader& from) {
        TypedItemBuffer<Record> buffer;
        return items::next_of(from, buffer);
    }
    std::vector<std::string> values(KafkaReader& from) { return items::texts_of(from, "value"); }
    std::unique_ptr<KafkaWriter> writer(Pairs values = {}) {
        values.insert(values.begin(), {{"url", "kafka://broker"}, {"topic", "orders"}});
        const Properties given = properties(values);
        auto made = std::make_unique<KafkaWriter>(surroundings_.context(given), driver_of(topic_));
        made->open({});
        return made;
    }
    /// One record with these columns.
    Record& record(const std::vector<std::pair<std::string, Value>>& cells) {
        std::vector<std::string> names;
        for (const auto& [name, value] : cells) names.push_back(name);
        auto& made = *static_cast<Record*>(buffer_.slot());
        buffer_.keep();
        const std::span<Value> values = made.reset(std::make_shared<Columns>(names));
        for (std::size_t i = 0; i < cells.size(); ++i) values[i] = cells[i].second;
        made.set_origin(7, "raw");
        return made;
    }

    FakeTopic topic_;
    items::Surroundings surroundings_{"/tmp"};
    items::NoTransaction transaction_;
    TypedItemBuffer<Record> buffer_;
};

TEST_F(KafkaItems, PartitionsComeOneAfterTheOtherUpToWhatWasTheirEnd) {
    topic_.add(0, 0, "a");
    topic_.add(0, 1, "b");
    topic_.add(1, 0, "c");
    const auto from = opened();
    EXPECT_EQ(from->fraction(), 0);
    topic_.add(0, 2, "too late");
    topic_.add(1, 1, "too late");
    EXPECT_THAT(values(*from), ElementsAre("a", "b", "c"));
    EXPECT_EQ(from->checkpoint().bytes(), "cluster-1 orders 0:0:2:2 1:0:1:1");
    EXPECT_EQ(from->fraction(), 1);
    EXPECT_THAT(values(*opened({}, from->checkpoint())), IsEmpty()) << "also after a restart";
}

TEST_F(KafkaItems, ObeysTheReaderLaw) {
    for (const int partition : {0, 1, 2})
        for (const int offset : {0, 1, 4, 5})
            topic_.add(partition, offset, partition == 1 && offset == 4 ? "\xff" : "v");
    items::expect_reader_law([&] { return reader({{"columns", "value,partition,offset"}}); });
    items::expect_reader_law([&] { return reader({{"columns", "value"}, {"partitions", "0,2"}}); });
}

TEST_F(KafkaItems, WhatIsGoneBeforeTheEndEndsThePartitionAllTheSame) {
    topic_.add(0, 0, "a");
    topic_.marks[0] = {.low = 0, .high = 3};  // 1 and 2: marks of a transaction
    topic_.add(1, 0, "b");
    EXPECT_THAT(values(*opened()), ElementsAre("a", "b"));
    topic_.partitions[0].push_back({.partition = 0, .offset = 9, .value = "later"});  // 3 to 8 were compacted
    EXPECT_THAT(values(*opened()), ElementsAre("a", "b"));
}

TEST_F(KafkaItems, WhatIsStillOnItsWayFromAPartitionThatIsDoneIsLeftOut) {
    topic_.add(0, 0, "a");
    topic_.add(1, 0, "b");
    const auto from = opened();
    ASSERT_TRUE(next(*from));
    topic_.script.push_back({.message = Message{.partition = 0, .offset = 1, .value = "stray"}});
    topic_.script.push_back({.end = AtEnd{0, 2}});
    EXPECT_THAT(values(*from), ElementsAre("b"));
    EXPECT_EQ(from->checkpoint().bytes(), "cluster-1 orders 0:0:1:1 1:0:1:1");
}

TEST_F(KafkaItems, ARollbackAsksNobodyAndComesBackToTheBeginning) {
    topic_.add(0, 3, "a");
    topic_.marks[0] = {.low = 3, .high = 4};
    const auto from = opened({{"from", "beginning"}});
    const int asked = topic_.questions;
    EXPECT_THAT(values(*from), ElementsAre("a"));
    topic_.marks[0] = {.low = 4, .high = 9};
    from->close();
    from->open({});
    EXPECT_THAT(values(*from), ElementsAre("a"));
    EXPECT_EQ(topic_.questions, asked);
}

TEST_F(KafkaItems, BeginsWhereItIsTold) {
    for (const int offset : {0, 1, 2}) topic_.add(0, offset, std::string_view("abc").substr(offset, 1));
    EXPECT_THAT(values(*opened({{"from", "end"}})), IsEmpty());
    EXPECT_THAT(values(*opened({{"from", "1970-01-01T00:00:00.002Z"}})), ElementsAre("c"));
}

TEST_F(KafkaItems, UntilNothingComesReadsAllPartitionsAtOnceAndNewOnes) {
    topic_.add(0, 0, "a");
    topic_.add(1, 0, "b");
    const auto from = opened({{"until", "10ms"}});
    EXPECT_EQ(from->fraction(), -1);
    ASSERT_TRUE(next(*from));
    ASSERT_TRUE(next(*from));
    topic_.add(0, 1, "c");
    EXPECT_THAT(values(*from), ElementsAre("c"));
    EXPECT_EQ(from->checkpoint().bytes(), "cluster-1 orders 0:0:2: 1:0:1:");
    topic_.add(2, 0, "of a new partition");
    EXPECT_THAT(values(*opened({{"until", "10ms"}}, from->checkpoint())), ElementsAre("of a new partition"));
}

TEST_F(KafkaItems, UntilNothingComesIsNotBelievedWhereBrokersHaveMore) {
    topic_.add(0, 0, "a");
    topic_.marks[0] = {.low = 0, .high = 2};
    topic_.script.push_back({.end = AtEnd{0, 0}});
    topic_.silent = {0};
    const auto from = opened({{"until", "10ms"}});
    EXPECT_THAT(message_of<KafkaError>([&] { (void)values(*from); }), HasSubstr("nothing came from kafka://broker"));
}

TEST_F(KafkaItems, BrokersThatSayNothingAreAnErrorThatMayPass) {
    topic_.add(0, 0, "a");
    topic_.silent = {0};
    topic_.trouble = "Connection refused";
    const auto from = opened();
    try {
        (void)values(*from);
        FAIL();
    } catch (const KafkaError& error) {
        EXPECT_TRUE(error.is_transient());
        EXPECT_THAT(error.what(), HasSubstr("orders: nothing came from kafka://broker for 1.0s: Connection refused"));
    }
    topic_.silent.clear();
    EXPECT_THAT(values(*from), ElementsAre("a")) << "reading goes on";
}

TEST_F(KafkaItems, StopNowEndsAWait) {
    topic_.add(0, 0, "a");
    topic_.silent = {0};
    StopSignal stop;
    surroundings_.stop_by(stop);
    const auto from = opened({{"timeout", "1h"}});
    stop.request_now(StopReason::operator_asked);
    EXPECT_THAT(message_of<KafkaError>([&] { (void)values(*from); }), HasSubstr("stopped while waiting"));
}

TEST_F(KafkaItems, AnotherTopicThanWasReadIsRefused) {
    topic_.add(0, 0, "a");
    topic_.marks[0] = {.low = 5, .high = 8};
    const auto told = [&](const char* checkpoint, const Pairs& values = {}) {
        return message_of(ErrorKind::refused, [&] { (void)opened(values, Checkpoint(checkpoint)); });
    };
    EXPECT_THAT(told("cluster-2 orders 0:5:6:8"), HasSubstr("topic \"orders\" of the Kafka cluster cluster-2"));
    EXPECT_THAT(told("cluster-1 other 0:5:6:8"), HasSubstr("topic \"other\" of the Kafka cluster cluster-1"));
    EXPECT_THAT(told("cluster-1 orders 0:0:4:8"),
                HasSubstr("orders/0 holds the offsets 5 to 8, reading stood at 4 and was to end at 8"));
    EXPECT_THAT(told("cluster-1 orders 0:0:9:", {{"until", "1s"}}), HasSubstr("reading stood at 9"));
    EXPECT_THAT(told("cluster-1 orders 0:5:6:9"), HasSubstr("was to end at 9"));
    EXPECT_THAT(told("17"), HasSubstr("checkpoint unreadable"));
    EXPECT_THAT(values(*opened({}, Checkpoint("cluster-1 orders 0:0:2:2"))), IsEmpty()) << "what is done needs nothing";
    EXPECT_THAT(message_of(ErrorKind::refused, [&] { (void)opened({{"partitions", "0,3"}}); }),
                HasSubstr("topic \"orders\" has no partition 3: its 1 are numbered from 0"));
}

TEST_F(KafkaItems, AChangedTopicIsReadWhereThatIsAccepted) {
    topic_.add(0, 5, "a");
    topic_.marks[0] = {.low = 5, .high = 6};
    surroundings_.accept_input();
    EXPECT_THAT(values(*opened({}, Checkpoint("cluster-2 orders 0:0:3:9"))), ElementsAre("a"));
    EXPECT_THAT(values(*opened({}, Checkpoint("cluster-1 orders 0:0:3:9"))), ElementsAre("a"));
}

TEST_F(KafkaItems, AMessageHasColumnsOfItsOwn) {
    const std::vector<Header> headers{{"a", "1"}, {"b", std::nullopt}, {"a", "2\""}, {"c", "\xff"}};
    topic_.add(0, 0, "");
    topic_.partitions[0] = {
        {.partition = 0, .offset = 3, .timestamp = 99, .key = "k", .value = "v", .headers = headers},
        {.partition = 0, .offset = 4}};
    const auto from = opened();
    EXPECT_EQ(next(*from),
              "orders/0:3|v|key=tk|value=tv|timestamp=i99|partition=i0|offset=i3|headers=t{\"b\":null,"
              "\"a\":\"2\\\"\",\"c\":\"ff\"}");
    EXPECT_EQ(from->position(), "orders/0:3");
    EXPECT_EQ(next(*from), "orders/0:4||key=null|value=null|timestamp=null|partition=i0|offset=i4|headers=t{}");
}

TEST_F(KafkaItems, TextThatIsNoneIsToldAndBytesAreBytes) {
    topic_.add(0, 0, "\xff");
    topic_.add(0, 1, "good");
    const auto text = opened();
    EXPECT_EQ(next(*text), "orders/0:0: \"\\xFF\" is not UTF-8; read it with format=\"bytes\"");
    EXPECT_THAT(values(*text), ElementsAre("good"));
    const auto bytes = opened({{"format", "bytes"}, {"columns", "value"}});
    auto& into = *static_cast<Record*>(buffer_.slot());
    ASSERT_TRUE(bytes->read(into));
    EXPECT_EQ(into["value"].kind(), Value::Kind::bytes);
    EXPECT_EQ(into["value"].bytes().size(), 1U);
}

TEST_F(KafkaItems, JsonBecomesColumnsBehindThoseAskedFor) {
    topic_.add(0, 0, R"({"id":7,"name":"Ann"})");
    topic_.add(0, 1, R"({"id":)");
    topic_.add(0, 2, R"({"offset":1})");
    topic_.add(0, 3, "");
    topic_.partitions[0][3].value.reset();
    topic_.add(0, 4, R"({"id":8})");
    const auto from = opened({{"format", "json"}, {"columns", "offset,value"}});
    EXPECT_EQ(next(*from), R"(orders/0|{"id":7,"name":"Ann"}|offset=i0|id=i7|name=tAnn)");
    EXPECT_THAT(*next(*from), HasSubstr("orders/0:1: not valid JSON"));
    EXPECT_EQ(next(*from), R"(orders/0:2: the key "offset" twice: "{"offset":1}")");
    EXPECT_EQ(next(*from), "orders/0:3: no value: a tombstone: \"\"");
    EXPECT_EQ(next(*from), R"(orders/0:4|{"id":8}|offset=i4|id=i8)");
}

TEST_F(KafkaItems, RecordsAreWrittenAsJsonWithAKeyAndAnId) {
    const auto to = writer({{"key", "id"}});
    EXPECT_EQ(topic_.topic_checks, 1);
    std::vector<Record> records{record({{"id", 7}, {"name", "Ann"}}), record({{"id", nullptr}, {"name", "Bo"}})};
    transaction_.generation = 2;
    transaction_.sequence = 5;
    to->write(records, transaction_);
    const std::string id = " 7d4f4c60-0000-4000-8000-000000000001/load/-/2/5/";
    EXPECT_THAT(topic_.sent,
                ElementsAre(R"(7={"id":7,"name":"Ann"})" + id + "0", R"(-={"id":null,"name":"Bo"})" + id + "1"));
    to->open({});
    EXPECT_EQ(topic_.topic_checks, 1) << "a rollback asks nobody";
    to->write({}, transaction_);
    EXPECT_EQ(topic_.sent.size(), 2U);
}

TEST_F(KafkaItems, OneColumnIsWrittenAsItIs) {
    const std::string_view two("\0x", 2);
    const auto to = writer({{"format", "text"}, {"value", "v"}});
    std::vector<Record> records{record({{"v", "text"}}), record({{"v", nullptr}}),
                                record({{"v", true}}),   record({{"v", false}}),
                                record({{"v", 1.5}}),    record({{"v", std::as_bytes(std::span(two))}})};
    to->write(records, transaction_);
    std::vector<std::string> sent;
    for (const std::string& message : topic_.sent) sent.push_back(message.substr(2, message.find(' ') - 2));
    EXPECT_THAT(sent, ElementsAre("text", "null", "true", "false", "1.5", std::string(two)));
}

TEST_F(KafkaItems, AColumnThatIsNotThereIsToldBeforeAnythingIsSent) {
    const auto to = writer({{"key", "idd"}});
    std::vector<Record> records{record({{"id", 7}})};
    EXPECT_THAT(message_of<ConversionError>([&] { to->write(records, transaction_); }),
                HasSubstr("column \"idd\" is not there; did you mean \"id\"?"));
    EXPECT_THAT(topic_.sent, IsEmpty());
}

TEST_F(KafkaItems, ARecordThatBrokersDoNotTakeIsNamed) {
    const auto to = writer();
    topic_.refused = Refused{.message = 1, .reason = "too large"};
    std::vector<Record> records{record({{"id", 7}}), record({{"id", 8}})};
    try {
        to->write(records, transaction_);
        FAIL();
    } catch (const ConstraintError& error) {
        EXPECT_THAT(error.what(), HasSubstr("record 7: topic \"orders\" does not take it: too large"));
        EXPECT_EQ(error.raw(), "raw");
    }
}

}  // namespace
}  // namespace fermata::kafka
