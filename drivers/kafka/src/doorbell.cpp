#include "doorbell.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <random>
#include <utility>

namespace fermata::kafka {
namespace {

constexpr const char* default_topic = "fermata";
/// As many workers can hear at once; an operator who has more makes the topic.
constexpr int topic_partitions = 24;
/// One ring wakes so many at most: the others hear of the work from the database.
constexpr std::int64_t most_messages = 128;
constexpr std::size_t most_at_once = 1000;
constexpr std::chrono::seconds farewell{1};
constexpr int between_looks = 20;  ///< ms
constexpr std::chrono::seconds between_questions{10};
constexpr const char* a_moment = "5000";  ///< ms: an older ring is of no use

Wishes sender_wishes() {
    return {.fixed = {},
            .defaults = {{"delivery.timeout.ms", a_moment},
                         {"queue.buffering.max.messages", "10000"},
                         {"linger.ms", "0"},
                         {"request.required.acks", "1"},
                         {"allow.auto.create.topics", "false"},  // it would have one partition: for one worker
                         {"reconnect.backoff.max.ms", "1000"}}};
}

Wishes listener_wishes() {
    return {.fixed = {{"enable.auto.commit", "false"}, {"enable.auto.offset.store", "false"}},
            .defaults = {{"group.id", "fermata"},
                         {"auto.offset.reset", "latest"},
                         // A worker that died is noticed, and its part of the topic given to others.
                         {"session.timeout.ms", "6000"},
                         {"heartbeat.interval.ms", "2000"},
                         // A broker that hangs keeps a worker that leaves no longer: its last answer may be under way.
                         {"socket.timeout.ms", "5000"},
                         {"reconnect.backoff.max.ms", "1000"},
                         {"topic.metadata.refresh.interval.ms", "10000"}}};
}

/// In turn, so that several messages of one ring reach several workers; and from anywhere, so that many processes that
/// ring once do not all wake the same one.
std::int32_t in_turn(const rd_kafka_topic_t*, const void*, std::size_t, std::int32_t partitions, void*, void*) {
    static std::atomic<std::uint32_t> turn{std::random_device{}()};
    return static_cast<std::int32_t>(turn++ % static_cast<std::uint32_t>(partitions));
}

Partitions no_partitions() { return Partitions(rd_kafka_topic_partition_list_new(0)); }

/// Served by whoever rings or waits: a broker that took something can be reached.
void delivered(rd_kafka_t*, const rd_kafka_message_t* message, void* client) {
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) static_cast<Client*>(client)->reached();
}

void prepare_sender(rd_kafka_conf_t* configuration) {
    rd_kafka_conf_set_dr_msg_cb(configuration, delivered);
    rd_kafka_topic_conf_t* topic = rd_kafka_topic_conf_new();
    rd_kafka_topic_conf_set_partitioner_cb(topic, in_turn);
    rd_kafka_conf_set_default_topic_conf(configuration, topic);
}

}  // namespace

TopicDoorbell::Ear::Ear(const Url& url)
    : client(RD_KAFKA_CONSUMER, url, listener_wishes()), queue(rd_kafka_queue_get_consumer(client.get())) {
    rd_kafka_poll_set_consumer(client.get());
}

TopicDoorbell::TopicDoorbell(const Url& url)
    : url_(url),
      topic_(url.topic.empty() ? default_topic : url.topic),
      sender_(RD_KAFKA_PRODUCER, url, sender_wishes(), prepare_sender),
      topic_made_(rd_kafka_queue_new(sender_.get())),
      unanswered_(no_partitions()) {}

TopicDoorbell::~TopicDoorbell() { sent(farewell); }

void TopicDoorbell::ring(JobExecutionId execution, std::int64_t workers) noexcept {
    const fmt::format_int id(execution.value());
    for (std::int64_t i = 0; i < std::min(workers, most_messages); ++i) {
        const rd_kafka_resp_err_t error = rd_kafka_producev(sender_.get(), RD_KAFKA_V_TOPIC(topic_.c_str()),
                                                            RD_KAFKA_V_VALUE(const_cast<char*>(id.data()), id.size()),
                                                            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        ++(error == RD_KAFKA_RESP_ERR_NO_ERROR ? rung_ : not_rung_);
    }
    rd_kafka_poll(sender_.get(), 0);
}

bool TopicDoorbell::sent(std::chrono::milliseconds bound) noexcept {
    const auto end = std::chrono::steady_clock::now() + bound;
    while (rd_kafka_flush(sender_.get(), between_looks) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        if (!sender_.is_cut_off() && std::chrono::steady_clock::now() < end) continue;
        rd_kafka_purge(sender_.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(sender_.get(), between_looks);  // what became of them is of no interest
        return false;
    }
    return true;
}

void TopicDoorbell::listen() {
    ear_ = std::make_unique<Ear>(url_);
    subscribe();
}

std::vector<JobExecutionId> TopicDoorbell::heard(std::chrono::milliseconds bound) {
    using std::chrono::steady_clock;
    std::set<JobExecutionId> executions;
    const auto end = steady_clock::now() + bound;
    look_for_topic();
    if (std::exchange(has_taken_, false)) look_for_broker(bound);
    while (const MessageHandle message = next(end - steady_clock::now())) {
        take(*message, executions);
        if (!executions.empty()) break;
    }
    for (std::size_t count = 1; !executions.empty() && count < most_at_once; ++count) {
        const MessageHandle more = next(steady_clock::duration::zero());
        if (!more) break;
        take(*more, executions);
    }
    return {executions.begin(), executions.end()};
}

/// Null after `bound`, or when somebody woke us.
MessageHandle TopicDoorbell::next(std::chrono::steady_clock::duration bound) {
    return MessageHandle(
        rd_kafka_consumer_poll(ear_->client.get(), millis(std::chrono::ceil<std::chrono::milliseconds>(bound))));
}

void TopicDoorbell::take(const rd_kafka_message_t& message, std::set<JobExecutionId>& into) {
    if (message.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return make_topic();
    if (message.err != RD_KAFKA_RESP_ERR_NO_ERROR) return;  // passes, or the poll of the database has to do
    has_taken_ = true;
    to_answer(message);
    const auto id =
        parse_int64({static_cast<const char*>(message.payload), message.payload == nullptr ? 0 : message.len});
    ++(id && *id > 0 ? heard_count_ : dismissed_);
    if (id && *id > 0) into.insert(JobExecutionId(*id));
}

/// Rings of one part of the topic come in their order: the last answers for all before it.
void TopicDoorbell::to_answer(const rd_kafka_message_t& message) {
    rd_kafka_topic_partition_list_t* const all = unanswered_.get();
    rd_kafka_topic_partition_t* part = rd_kafka_topic_partition_list_find(all, topic_.c_str(), message.partition);
    if (part == nullptr) part = rd_kafka_topic_partition_list_add(all, topic_.c_str(), message.partition);
    part->offset = message.offset + 1;
}

/// What was taken may have come before the brokers went, and waited here: so they are asked.
void TopicDoorbell::look_for_broker(std::chrono::milliseconds bound) {
    Client& client = ear_->client;
    const std::int64_t outages = client.outages();
    if (!client.is_cut_off()) return;
    const rd_kafka_metadata_t* found = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_metadata(client.get(), 0, nullptr, &found, millis(bound));
    const Metadata metadata(found);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) client.reached(outages);
}

void TopicDoorbell::subscribe() {
    const Partitions topics = no_partitions();
    rd_kafka_topic_partition_list_add(topics.get(), topic_.c_str(), RD_KAFKA_PARTITION_UA);
    ear_->client.check(rd_kafka_subscribe(ear_->client.get(), topics.get()), "topic " + topic_);
}

/// Asks the brokers to make the topic, again and again but not often: they may come later, or change their mind.
void TopicDoorbell::make_topic() {
    const auto now = std::chrono::steady_clock::now();
    if (asked_ && now < *asked_ + between_questions) return;
    asked_ = now;
    waits_for_topic_ = true;
    std::array<char, 512> words{};
    const Handle<rd_kafka_NewTopic_t, rd_kafka_NewTopic_destroy> topic(
        rd_kafka_NewTopic_new(topic_.c_str(), topic_partitions, -1, words.data(), words.size()));
    rd_kafka_NewTopic_t* one = topic.get();
    rd_kafka_CreateTopics(sender_.get(), &one, 1, nullptr, topic_made_.get());
}

/// The listener would notice a new topic by itself, but late.
void TopicDoorbell::look_for_topic() {
    if (!waits_for_topic_) return;
    const Event answer(rd_kafka_queue_poll(topic_made_.get(), 0));
    if (!answer && std::chrono::steady_clock::now() < *asked_ + between_questions) return;
    waits_for_topic_ = false;
    subscribe();
}

// Names what is answered: the client would look up what was taken only when it comes to it, and find a ring more.
void TopicDoorbell::answered() noexcept {
    (void)rd_kafka_commit(ear_->client.get(), unanswered_.get(), 1);
    unanswered_ = no_partitions();
}

void TopicDoorbell::leave() noexcept { (void)rd_kafka_unsubscribe(ear_->client.get()); }

void TopicDoorbell::wake() noexcept { rd_kafka_queue_yield(ear_->queue.get()); }

std::string TopicDoorbell::trouble() const {
    // Who listens is never idle; a sender that is may have lost its connections for that alone.
    const Client& client = ear_ ? ear_->client : sender_;
    if (!client.is_cut_off()) return {};
    return fmt::format("no broker of {} can be reached: {}", client.where(), client.trouble());
}

Doorbell::Counts TopicDoorbell::counts() const noexcept {
    return {.rung = rung_, .not_rung = not_rung_, .heard = heard_count_, .dismissed = dismissed_};
}

}  // namespace fermata::kafka
