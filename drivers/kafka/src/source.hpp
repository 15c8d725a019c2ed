#pragma once
#include "client.hpp"

#include <fermata/items/kafka/port.hpp>

#include <vector>

namespace fermata::kafka {

/// Over librdkafka's consumer without a group.
class TopicSource final : public Source {
public:
    TopicSource(const Url& url, const std::string& topic, const Manner& manner);

    std::string cluster() override;
    std::int32_t partitions() override;
    Watermarks watermarks(std::int32_t partition) override;
    std::int64_t offset_at(std::int32_t partition, std::int64_t time) override;
    void start(std::int32_t partition, std::int64_t offset) override;
    void stop(std::int32_t partition) override;
    Event next(std::chrono::milliseconds bound) override;
    std::string trouble() override { return client_.trouble(); }

private:
    [[nodiscard]] bool fetch(std::chrono::milliseconds bound);
    [[nodiscard]] Message message_of(const rd_kafka_message_t& message);
    void learn_headers(const rd_kafka_message_t& message);
    void refuse_if_final(const rd_kafka_message_t& message);

    Manner manner_;
    Client client_;
    Topic topic_;
    Queue queue_;  ///< of all partitions that run; a new one each time the first is started
    int running_ = 0;
    std::vector<MessageHandle> batch_;
    std::size_t next_ = 0;  ///< of the batch, the one to be given next
    std::vector<Header> headers_;
};

}  // namespace fermata::kafka
