#pragma once
// Our artifacts on the tests' real broker.
#include "kafka_reader.hpp"
#include "kafka_writer.hpp"

#include <fermata/drivers/kafka.hpp>
#include <fermata/items/testing/reader_law.hpp>
#include <fermata/items/testing/rig.hpp>
#include <fermata/testing/kafka_topic.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

namespace fermata::kafka {

using fermata::testing::KafkaBroker;
using fermata::testing::KafkaMessage;
using fermata::testing::KafkaTopic;
using items::message_of;
using Pairs = std::vector<std::pair<std::string, std::string>>;

/// Asks again and again until the answer is true; false after a minute.
template <class Condition>
bool comes_true(Condition condition) {
    const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
    while (!condition())
        if (std::chrono::steady_clock::now() > end) return false;
    return true;
}

/// A worker's, that hears.
inline std::unique_ptr<Doorbell> listener(const std::string& url) {
    auto made = open_doorbell(url);
    made->listen();
    return made;
}

class OnKafka : public ::testing::Test {
protected:
    void SetUp() override {
        if (const auto reason = KafkaBroker::missing()) GTEST_SKIP() << *reason;
    }
    static std::string url() { return KafkaBroker::shared().url(); }

    std::unique_ptr<KafkaReader> reader(const std::string& topic, Pairs values = {}, const std::string& at = url()) {
        values.insert(values.begin(), {{"url", at}, {"topic", topic}});
        const Properties given = items::properties(values);
        return std::make_unique<KafkaReader>(surroundings_.context(given), driver());
    }
    std::unique_ptr<KafkaWriter> writer(const std::string& topic, Pairs values = {}, const std::string& at = url()) {
        values.insert(values.begin(), {{"url", at}, {"topic", topic}});
        const Properties given = items::properties(values);
        return std::make_unique<KafkaWriter>(surroundings_.context(given), driver());
    }
    /// Values of the records to come.
    static std::vector<std::string> values(KafkaReader& from) { return items::texts_of(from, "value"); }
    /// Records with the one column "value", good until the next call.
    std::span<Record> records(const std::vector<std::string>& values) {
        static const auto columns = std::make_shared<const Columns>(std::vector<std::string>{"value"});
        texts_ = values;
        buffer_.clear();
        for (std::size_t i = 0; i < texts_.size(); ++i) {
            auto& record = *static_cast<Record*>(buffer_.slot());
            record.reset(columns)[0] = std::string_view(texts_[i]);
            record.set_origin(static_cast<std::int64_t>(i) + 1, "");
            buffer_.keep();
        }
        return buffer_.items<Record>();
    }

    items::Surroundings surroundings_{"/tmp"};
    items::NoTransaction transaction_;

private:
    TypedItemBuffer<Record> buffer_;
    std::vector<std::string> texts_;
};

}  // namespace fermata::kafka
