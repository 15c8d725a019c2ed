#include <fermata/testing/kafka_topic.hpp>

#include <librdkafka/rdkafka.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <stdexcept>

namespace fermata::testing {
namespace {

constexpr int deadline = 60'000;  ///< ms for anything the broker does

template <class T, void (*End)(T*)>
struct Ender {
    void operator()(T* what) const { End(what); }
};
template <class T, void (*End)(T*)>
using Owned = std::unique_ptr<T, Ender<T, End>>;
using Kafka = Owned<rd_kafka_t, rd_kafka_destroy>;
using Queue = Owned<rd_kafka_queue_t, rd_kafka_queue_destroy>;
using Options = Owned<rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy>;
using Event = Owned<rd_kafka_event_t, rd_kafka_event_destroy>;
using Offsets = Owned<rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy>;
using Topic = Owned<rd_kafka_topic_t, rd_kafka_topic_destroy>;

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error("kafka: " + what); }

void check(rd_kafka_resp_err_t error, const char* what) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(std::string(what) + ": " + rd_kafka_err2str(error));
}

void check(rd_kafka_error_t* error, const char* what) {
    if (error == nullptr) return;
    const std::string words = rd_kafka_error_string(error);
    rd_kafka_error_destroy(error);
    fail(std::string(what) + ": " + words);
}

void silent(const rd_kafka_t*, int, const char*, const char*) {}

/// What went wrong with a message that was sent with the address of an error as its opaque.
void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
    auto* worst = static_cast<rd_kafka_resp_err_t*>(message->_private);
    if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) *worst = message->err;
}

Kafka make_client(rd_kafka_type_t type, const std::vector<std::pair<std::string, std::string>>& settings) {
    rd_kafka_conf_t* configuration = rd_kafka_conf_new();
    std::array<char, 512> words{};
    for (const auto& [name, value] : settings)
        if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), words.data(), words.size()) !=
            RD_KAFKA_CONF_OK)
            fail(words.data());
    rd_kafka_conf_set_log_cb(configuration, silent);
    if (type == RD_KAFKA_PRODUCER) rd_kafka_conf_set_dr_msg_cb(configuration, delivered);
    Kafka client(rd_kafka_new(type, configuration, words.data(), words.size()));
    if (!client) fail(words.data());
    return client;
}

std::optional<std::string> text_of(const void* bytes, std::size_t size) {
    if (bytes == nullptr) return std::nullopt;
    return std::string(static_cast<const char*>(bytes), size);
}

std::vector<std::pair<std::string, std::string>> headers_of(const rd_kafka_message_t* message) {
    std::vector<std::pair<std::string, std::string>> found;
    rd_kafka_headers_t* headers = nullptr;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return found;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
         ++i)
        found.emplace_back(name, text_of(value, size).value_or(""));
    return found;
}

/// The macros below cast what they are given.
void* address(const std::optional<std::string>& text) { return text ? const_cast<char*>(text->data()) : nullptr; }
std::size_t size(const std::optional<std::string>& text) { return text ? text->size() : 0; }

void produce(rd_kafka_t& client, const std::string& topic, const KafkaMessage& message, rd_kafka_resp_err_t& worst) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(message.headers.size());
    for (const auto& [name, value] : message.headers)
        rd_kafka_header_add(headers, name.data(), static_cast<ssize_t>(name.size()), value.data(),
                            static_cast<ssize_t>(value.size()));
    check(rd_kafka_producev(
              &client, RD_KAFKA_V_TOPIC(topic.c_str()), RD_KAFKA_V_PARTITION(message.partition),
              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(address(message.key), size(message.key)),
              RD_KAFKA_V_VALUE(address(message.value), size(message.value)), RD_KAFKA_V_TIMESTAMP(message.timestamp),
              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&worst), RD_KAFKA_V_END),
          "produce");
}

}  // namespace

struct KafkaTopic::Client {
    std::string bootstrap;
    Kafka producer;

    explicit Client(std::string to)
        : bootstrap(std::move(to)),
          producer(make_client(RD_KAFKA_PRODUCER, {{"bootstrap.servers", bootstrap}, {"linger.ms", "0"}})) {}

    /// -1 while the broker knows no such topic.
    [[nodiscard]] int partitions(const std::string& name) const {
        const Topic topic(rd_kafka_topic_new(producer.get(), name.c_str(), nullptr));
        const rd_kafka_metadata_t* metadata = nullptr;
        check(rd_kafka_metadata(producer.get(), 0, topic.get(), &metadata, deadline), "metadata");
        const rd_kafka_metadata_topic_t& said = metadata->topics[0];
        const int count = said.err == RD_KAFKA_RESP_ERR_NO_ERROR ? said.partition_cnt : -1;
        rd_kafka_metadata_destroy(metadata);
        return count;
    }

    /// Waits for the one event of an administrative request.
    template <class Request>
    Event administer(rd_kafka_admin_op_t operation, Request request) {
        const Queue queue(rd_kafka_queue_new(producer.get()));
        const Options options(rd_kafka_AdminOptions_new(producer.get(), operation));
        std::array<char, 512> words{};
        rd_kafka_AdminOptions_set_request_timeout(options.get(), deadline, words.data(), words.size());
        rd_kafka_AdminOptions_set_operation_timeout(options.get(), deadline, words.data(), words.size());
        request(options.get(), queue.get());
        Event event(rd_kafka_queue_poll(queue.get(), deadline));
        if (!event) fail("no answer within a minute");
        check(rd_kafka_event_error(event.get()), "administration");
        return event;
    }
};

namespace {

std::string new_name() {
    static std::atomic<int> number{0};
    return "test-" + std::to_string(::getpid()) + "-" + std::to_string(++number);
}

}  // namespace

KafkaTopic::KafkaTopic(int partitions, const KafkaBroker& broker) : KafkaTopic(broker.bootstrap(), new_name()) {
    create(partitions);
}

KafkaTopic::KafkaTopic(std::string bootstrap, std::string name)
    : name_(std::move(name)), client_(std::make_unique<Client>(std::move(bootstrap))) {}

KafkaTopic::~KafkaTopic() = default;

void KafkaTopic::create(int partitions) {
    std::array<char, 512> words{};
    const Owned<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> topic(
        rd_kafka_NewTopic_new(name_.c_str(), partitions, 1, words.data(), words.size()));
    if (!topic) fail(words.data());
    const Event event = client_->administer(RD_KAFKA_ADMIN_OP_CREATETOPICS, [&](auto* options, auto* queue) {
        rd_kafka_NewTopic_t* one = topic.get();
        rd_kafka_CreateTopics(client_->producer.get(), &one, 1, options, queue);
    });
    std::size_t count = 0;
    const auto* const* answers =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event.get()), &count);
    check(rd_kafka_topic_result_error(answers[0]), "create");
    while (client_->partitions(name_) != partitions) continue;  // the broker's own copy is a moment late
}

void KafkaTopic::remove() {
    const Owned<rd_kafka_DeleteTopic_t, rd_kafka_DeleteTopic_destroy> topic(rd_kafka_DeleteTopic_new(name_.c_str()));
    const Event event = client_->administer(RD_KAFKA_ADMIN_OP_DELETETOPICS, [&](auto* options, auto* queue) {
        rd_kafka_DeleteTopic_t* one = topic.get();
        rd_kafka_DeleteTopics(client_->producer.get(), &one, 1, options, queue);
    });
    std::size_t count = 0;
    const auto* const* answers =
        rd_kafka_DeleteTopics_result_topics(rd_kafka_event_DeleteTopics_result(event.get()), &count);
    check(rd_kafka_topic_result_error(answers[0]), "delete");
}

void KafkaTopic::send(const std::vector<KafkaMessage>& messages) {
    rd_kafka_resp_err_t worst = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (const KafkaMessage& message : messages) produce(*client_->producer, name_, message, worst);
    check(rd_kafka_flush(client_->producer.get(), deadline), "flush");
    check(worst, "delivery");
}

void KafkaTopic::send_in_transaction(const std::vector<KafkaMessage>& messages, bool commit) {
    const Kafka producer =
        make_client(RD_KAFKA_PRODUCER,
                    {{"bootstrap.servers", client_->bootstrap}, {"transactional.id", name_}, {"linger.ms", "0"}});
    check(rd_kafka_init_transactions(producer.get(), deadline), "init_transactions");
    check(rd_kafka_begin_transaction(producer.get()), "begin_transaction");
    rd_kafka_resp_err_t worst = RD_KAFKA_RESP_ERR_NO_ERROR;
    for (const KafkaMessage& message : messages) produce(*producer, name_, message, worst);
    check(rd_kafka_flush(producer.get(), deadline), "flush");
    check(commit ? rd_kafka_commit_transaction(producer.get(), deadline)
                 : rd_kafka_abort_transaction(producer.get(), deadline),
          "end of the transaction");
    check(worst, "delivery");
}

void KafkaTopic::forget_before(std::int32_t partition, std::int64_t offset) {
    const Offsets offsets(rd_kafka_topic_partition_list_new(1));
    rd_kafka_topic_partition_list_add(offsets.get(), name_.c_str(), partition)->offset = offset;
    const Owned<rd_kafka_DeleteRecords_t, rd_kafka_DeleteRecords_destroy> request(
        rd_kafka_DeleteRecords_new(offsets.get()));
    const Event event = client_->administer(RD_KAFKA_ADMIN_OP_DELETERECORDS, [&](auto* options, auto* queue) {
        rd_kafka_DeleteRecords_t* one = request.get();
        rd_kafka_DeleteRecords(client_->producer.get(), &one, 1, options, queue);
    });
    const auto* answers = rd_kafka_DeleteRecords_result_offsets(rd_kafka_event_DeleteRecords_result(event.get()));
    check(answers->elems[0].err, "delete records");
}

std::vector<KafkaMessage> KafkaTopic::read() {
    const Kafka consumer = make_client(
        RD_KAFKA_CONSUMER,
        {{"bootstrap.servers", client_->bootstrap}, {"enable.partition.eof", "true"}, {"fetch.wait.max.ms", "10"}});
    const Topic topic(rd_kafka_topic_new(consumer.get(), name_.c_str(), nullptr));
    const int partitions = client_->partitions(name_);

    std::vector<KafkaMessage> all;
    for (std::int32_t partition = 0; partition < partitions; ++partition) {
        if (rd_kafka_consume_start(topic.get(), partition, RD_KAFKA_OFFSET_BEGINNING) != 0) fail("consume_start");
        for (;;) {
            const Owned<rd_kafka_message_t, rd_kafka_message_destroy> message(
                rd_kafka_consume(topic.get(), partition, deadline));
            if (!message) fail("no message within a minute");
            if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) break;
            check(message->err, "consume");
            all.push_back({.partition = message->partition,
                           .key = text_of(message->key, message->key_len),
                           .value = text_of(message->payload, message->len),
                           .headers = headers_of(message.get()),
                           .timestamp = rd_kafka_message_timestamp(message.get(), nullptr),
                           .offset = message->offset});
        }
        rd_kafka_consume_stop(topic.get(), partition);
    }
    return all;
}

std::int64_t KafkaTopic::committed(const std::string& group) {
    const Kafka consumer =
        make_client(RD_KAFKA_CONSUMER, {{"bootstrap.servers", client_->bootstrap}, {"group.id", group}});
    const int partitions = client_->partitions(name_);
    const Offsets offsets(rd_kafka_topic_partition_list_new(partitions));
    rd_kafka_topic_partition_list_add_range(offsets.get(), name_.c_str(), 0, partitions - 1);
    check(rd_kafka_committed(consumer.get(), offsets.get(), deadline), "committed");
    std::int64_t sum = 0;
    for (int i = 0; i < partitions; ++i) sum += std::max<std::int64_t>(offsets->elems[i].offset, 0);
    return sum;
}

}  // namespace fermata::testing
