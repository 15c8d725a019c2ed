#include "source.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdlib>

namespace fermata::kafka {
namespace {

constexpr std::size_t batch_size = 1000;

Wishes wishes() {
    return {
        .fixed = {{"enable.partition.eof", "true"}, {"enable.auto.commit", "false"}, {"auto.offset.reset", "error"}},
        // What is fetched ahead, of each partition that is being read.
        .defaults = {{"queued.max.messages.kbytes", "16384"},
                     {"reconnect.backoff.max.ms", "1000"},
                     {"fetch.wait.max.ms", "100"}}};  // how late an end is noticed
}

std::optional<std::string_view> bytes(const void* data, std::size_t size) {
    if (data == nullptr) return std::nullopt;
    return std::string_view(static_cast<const char*>(data), size);
}

}  // namespace

TopicSource::TopicSource(const Url& url, const std::string& topic, const Manner& manner)
    : manner_(manner),
      client_(RD_KAFKA_CONSUMER, url, wishes()),
      topic_(rd_kafka_topic_new(client_.get(), topic.c_str(), nullptr)),
      queue_(rd_kafka_queue_new(client_.get())) {}

std::string TopicSource::cluster() {
    (void)partitions();  // whoever has answered once has told
    const Handle<char, std::free> id(rd_kafka_clusterid(client_.get(), millis(manner_.patience)));
    return id ? std::string(id.get()) : std::string();
}

std::int32_t TopicSource::partitions() { return partitions_of(client_, topic_.get(), manner_.patience); }

Watermarks TopicSource::watermarks(std::int32_t partition) {
    Watermarks marks;
    client_.check(rd_kafka_query_watermark_offsets(client_.get(), rd_kafka_topic_name(topic_.get()), partition,
                                                   &marks.low, &marks.high, millis(manner_.patience)),
                  fmt::format("offsets of {}/{}", rd_kafka_topic_name(topic_.get()), partition));
    return marks;
}

std::int64_t TopicSource::offset_at(std::int32_t partition, std::int64_t time) {
    const char* name = rd_kafka_topic_name(topic_.get());
    const Partitions asked(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_t* one = rd_kafka_topic_partition_list_add(asked.get(), name, partition);
    one->offset = time;
    client_.check(rd_kafka_offsets_for_times(client_.get(), asked.get(), millis(manner_.patience)),
                  fmt::format("offsets of {}/{} by time", name, partition));
    client_.check(one->err, fmt::format("offsets of {}/{} by time", name, partition));
    return one->offset >= 0 ? one->offset : watermarks(partition).high;
}

void TopicSource::start(std::int32_t partition, std::int64_t offset) {
    if (running_ == 0) queue_.reset(rd_kafka_queue_new(client_.get()));
    if (rd_kafka_consume_start_queue(topic_.get(), partition, offset, queue_.get()) != 0)
        client_.fail(rd_kafka_last_error(), fmt::format("{}/{}", rd_kafka_topic_name(topic_.get()), partition));
    ++running_;
}

void TopicSource::stop(std::int32_t partition) {
    rd_kafka_consume_stop(topic_.get(), partition);
    --running_;
    const auto of_it = [partition](const MessageHandle& message) { return message->partition == partition; };
    const auto rest = batch_.begin() + static_cast<std::ptrdiff_t>(next_);
    batch_.erase(std::remove_if(rest, batch_.end(), of_it), batch_.end());
}

Source::Event TopicSource::next(std::chrono::milliseconds bound) {
    while (next_ < batch_.size() || fetch(bound)) {
        const rd_kafka_message_t& message = *batch_[next_++];
        if (message.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) return {.end = AtEnd{message.partition, message.offset}};
        if (message.err == RD_KAFKA_RESP_ERR_NO_ERROR) return {.message = message_of(message)};
        refuse_if_final(message);
    }
    return {};
}

/// Many at once while there are many, else the first that comes.
bool TopicSource::fetch(std::chrono::milliseconds bound) {
    batch_.clear();
    next_ = 0;
    std::array<rd_kafka_message_t*, batch_size> found{};
    const auto count = rd_kafka_consume_batch_queue(queue_.get(), 0, found.data(), found.size());
    for (ssize_t i = 0; i < count; ++i) batch_.emplace_back(found[static_cast<std::size_t>(i)]);
    if (batch_.empty())
        if (rd_kafka_message_t* one = rd_kafka_consume_queue(queue_.get(), millis(bound))) batch_.emplace_back(one);
    return !batch_.empty();
}

Message TopicSource::message_of(const rd_kafka_message_t& message) {
    learn_headers(message);
    rd_kafka_timestamp_type_t type{};
    const std::int64_t time = rd_kafka_message_timestamp(&message, &type);
    return {.partition = message.partition,
            .offset = message.offset,
            .timestamp = type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE ? std::nullopt : std::optional(time),
            .key = bytes(message.key, message.key_len),
            .value = bytes(message.payload, message.len),
            .headers = headers_};
}

void TopicSource::learn_headers(const rd_kafka_message_t& message) {
    headers_.clear();
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    while (rd_kafka_header_get_all(headers, headers_.size(), &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR)
        headers_.push_back({.name = name, .value = bytes(value, size)});
}

/// All else passes by itself, or patience ends.
void TopicSource::refuse_if_final(const rd_kafka_message_t& message) {
    switch (message.err) {
        case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
        case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
        case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        case RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION:
        case RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED:
            throw Error(ErrorKind::refused,
                        fmt::format("{}/{} at {}: {}", rd_kafka_topic_name(topic_.get()), message.partition,
                                    client_.where(), printable(rd_kafka_message_errstr(&message))),
                        "the topic changed while it was read: see whether it is there, and what it holds");
        default:
            return;
    }
}

}  // namespace fermata::kafka
