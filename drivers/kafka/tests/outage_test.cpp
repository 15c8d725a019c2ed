// One broker that is killed under everything at once: a broker of its own is the dear part of such a test.
#include "fixture.hpp"

#include <set>
#include <thread>

namespace fermata::kafka {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

class KafkaOutage : public OnKafka {};

bool hears(Doorbell& bell) {
    return comes_true([&] {
        bell.ring(JobExecutionId(1), 8);
        return !bell.heard(50ms).empty();
    });
}

/// Reads on; false where the brokers say nothing.
bool read_on(KafkaReader& from, std::vector<std::string>& into) {
    TypedItemBuffer<Record> buffer;
    try {
        for (;;) {
            buffer.clear();
            auto& record = *static_cast<Record*>(buffer.slot());
            if (!from.read(record)) return true;
            into.emplace_back(record["value"].text());
        }
    } catch (const KafkaError& error) {
        EXPECT_TRUE(error.is_transient());
        return false;
    }
}

TEST_F(KafkaOutage, EverythingGoesOnWhenAKilledBrokerIsBack) {
    KafkaBroker broker;
    KafkaTopic input(1, broker);
    KafkaTopic output(1, broker);
    std::vector<std::string> all;
    for (int batch = 0; batch < 8; ++batch) {  // each is fetched as a whole
        std::vector<KafkaMessage> messages;
        for (int i = 0; i < 20; ++i) messages.push_back({.value = all.emplace_back(std::to_string(batch * 20 + i))});
        input.send(messages);
    }

    const auto from = reader(input.name(), {{"timeout", "2s"}},  // fetches little ahead
                             broker.url() + "?fetch.message.max.bytes=1&queued.min.messages=1");
    from->open({});
    TypedItemBuffer<Record> buffer;
    std::vector<std::string> read;
    for (int i = 0; i < 10; ++i) {
        buffer.clear();
        auto& record = *static_cast<Record*>(buffer.slot());
        ASSERT_TRUE(from->read(record));
        read.emplace_back(record["value"].text());
    }
    const auto to = writer(output.name(), {{"timeout", "2s"}, {"format", "text"}, {"value", "value"}}, broker.url());
    to->open({});
    to->write(records({"a"}), transaction_);
    StopSignal stop;
    surroundings_.stop_by(stop);
    const auto patient = writer(output.name(), {{"timeout", "1h"}}, broker.url() + "?queue.buffering.max.messages=2");
    patient->open({});
    const auto worker = listener(broker.url() + "/bell?group.id=one");
    EXPECT_TRUE(hears(*worker));
    EXPECT_TRUE(comes_true([&] {  // more has come than is heard at once
        for (int id = 10; id < 40; ++id) worker->ring(JobExecutionId(id), 128);
        EXPECT_TRUE(worker->sent(30s));
        const std::int64_t before = worker->counts().heard;
        (void)worker->heard(50ms);
        return worker->counts().heard - before >= 1000;
    }));

    broker.kill();
    EXPECT_TRUE(comes_true([&] { return !worker->trouble().empty(); }));
    const std::int64_t heard_before = worker->counts().heard;
    while (!worker->heard(50ms).empty()) worker->answered();
    EXPECT_GT(worker->counts().heard, heard_before) << "of what had come before";
    EXPECT_THAT(worker->trouble(), HasSubstr("no broker of")) << "what had come before says nothing about now";
    const auto late = listener(broker.url() + "/bell?group.id=other");
    for (Doorbell* bell : {worker.get(), late.get()}) {
        bell->ring(JobExecutionId(2), 8);
        (void)bell->heard(50ms);
        bell->answered();
    }
    EXPECT_FALSE(read_on(*from, read));
    transaction_.sequence = 1;
    EXPECT_THAT(message_of<KafkaError>([&] { to->write(records({"b", "c"}), transaction_); }),
                HasSubstr("2 of 2 messages may not have arrived"));

    {
        std::jthread stopper([&] { stop.request_now(StopReason::operator_asked); });
        // While the third waits for room, and the first for a verdict.
        for (const std::vector<std::string>& values : {std::vector<std::string>{"x", "y", "z"}, {"x"}})
            EXPECT_THAT(message_of<KafkaError>([&] { patient->write(records(values), transaction_); }),
                        HasSubstr("messages may not have arrived"));
    }

    broker.start();
    while (!read_on(*from, read)) continue;
    EXPECT_EQ(read, all);
    to->write(records({"b", "c"}), transaction_);  // as after a rollback
    std::set<std::pair<std::string, std::string>> kept;
    for (const KafkaMessage& message : output.read()) kept.emplace(message.headers[0].second, *message.value);
    EXPECT_EQ(kept.size(), 3U) << "told apart by their ids";
    for (Doorbell* bell : {worker.get(), late.get()}) {
        EXPECT_TRUE(hears(*bell));
        EXPECT_TRUE(comes_true([&] { return hears(*bell) && bell->trouble().empty(); })) << bell->trouble();
    }
}

}  // namespace
}  // namespace fermata::kafka
