#include "outbox.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::kafka {
namespace {

constexpr const char* id_header = "fermata-id";
constexpr int glance = 100;  ///< ms: how soon `stop --now` is heard
/// Not yet told by the client.
constexpr auto pending = RD_KAFKA_RESP_ERR__IN_PROGRESS;

Wishes wishes(const Manner& manner) {
    return {.fixed = {{"enable.idempotence", "true"}, {"delivery.timeout.ms", std::to_string(millis(manner.patience))}},
            // As Java's clients, so that equal keys of theirs and ours share a partition.
            .defaults = {{"partitioner", "murmur2_random"},
                         {"linger.ms", "5"},
                         {"reconnect.backoff.max.ms", "1000"},
                         {"queue.buffering.max.messages", "1000000"}}};
}

/// Of this one message; sending it again would change nothing.
bool is_refusal(rd_kafka_resp_err_t error) {
    switch (error) {
        case RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_RECORD_LIST_TOO_LARGE:
        case RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE:
        case RD_KAFKA_RESP_ERR_INVALID_RECORD:
        case RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP:
            return true;
        default:
            return false;
    }
}

rd_kafka_headers_t* headers_of(const Outgoing& message) {
    rd_kafka_headers_t* headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, id_header, -1, message.id.data(), static_cast<ssize_t>(message.id.size()));
    return headers;
}

/// librdkafka takes a null address for no key or no value, and an empty one needs an address.
void* address(const std::optional<std::string_view>& text) {
    if (!text) return nullptr;
    return const_cast<char*>(text->data() == nullptr ? "" : text->data());
}
std::size_t size(const std::optional<std::string_view>& text) { return text ? text->size() : 0; }

}  // namespace

TopicOutbox::Line::Line(const Url& url, const std::string& name, const Manner& manner)
    : client(RD_KAFKA_PRODUCER, url, wishes(manner),
             [](rd_kafka_conf_t* configuration) { rd_kafka_conf_set_dr_msg_cb(configuration, delivered); }),
      topic(rd_kafka_topic_new(client.get(), name.c_str(), nullptr)) {}

TopicOutbox::TopicOutbox(Url url, std::string topic, const Manner& manner)
    : url_(std::move(url)), name_(std::move(topic)), manner_(manner) {}

TopicOutbox::Line& TopicOutbox::line() {
    if (!line_) line_ = std::make_unique<Line>(url_, name_, manner_);
    return *line_;
}

void TopicOutbox::check_topic() { (void)partitions_of(line().client, line().topic.get(), manner_.patience); }

/// On our thread, inside rd_kafka_poll.
void TopicOutbox::delivered(rd_kafka_t* /*client*/, const rd_kafka_message_t* message, void* /*opaque*/) {
    *static_cast<Verdict*>(message->_private) = message->err;
}

std::optional<Refused> TopicOutbox::send(std::span<const Outgoing> messages) {
    Line& to = line();
    verdicts_.assign(messages.size(), pending);
    std::size_t handed = 0;
    while (handed < messages.size() && !is_stopped())
        if (hand_over(to, messages[handed], verdicts_[handed]))
            ++handed;
        else
            (void)rd_kafka_poll(to.client.get(), glance);
    std::fill(verdicts_.begin() + static_cast<std::ptrdiff_t>(handed), verdicts_.end(), RD_KAFKA_RESP_ERR__PURGE_QUEUE);
    wait_for_verdicts(to);
    return judge();
}

/// False: there is no room at present. Payloads are not copied: they stay until there is a verdict.
bool TopicOutbox::hand_over(Line& to, const Outgoing& message, Verdict& verdict) {
    rd_kafka_headers_t* headers = headers_of(message);
    const rd_kafka_resp_err_t error =
        rd_kafka_producev(to.client.get(), RD_KAFKA_V_RKT(to.topic.get()), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
                          RD_KAFKA_V_KEY(address(message.key), size(message.key)),
                          RD_KAFKA_V_VALUE(address(message.value), size(message.value)), RD_KAFKA_V_HEADERS(headers),
                          RD_KAFKA_V_OPAQUE(&verdict), RD_KAFKA_V_END);
    if (error == RD_KAFKA_RESP_ERR_NO_ERROR) return true;
    rd_kafka_headers_destroy(headers);  // ours again
    if (error == RD_KAFKA_RESP_ERR__QUEUE_FULL) return false;
    verdict = error;
    return true;
}

bool TopicOutbox::is_stopped() const { return manner_.stop != nullptr && manner_.stop->now(); }

/// Each message has one after delivery.timeout.ms at the latest; `stop --now` gives up what has none yet.
void TopicOutbox::wait_for_verdicts(Line& to) {
    bool given_up = false;
    while (std::ranges::find(verdicts_, pending) != verdicts_.end()) {
        (void)rd_kafka_flush(to.client.get(), glance);  // as poll, and nothing lingers
        if (given_up || !is_stopped()) continue;
        rd_kafka_purge(to.client.get(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        given_up = true;
    }
}

std::optional<Refused> TopicOutbox::judge() {
    const auto is_open = [](Verdict verdict) { return verdict != RD_KAFKA_RESP_ERR_NO_ERROR && !is_refusal(verdict); };
    const auto open = std::ranges::find_if(verdicts_, is_open);
    if (open != verdicts_.end()) {
        const std::unique_ptr<Line> broken = std::move(line_);
        const auto count = std::ranges::count_if(verdicts_, is_open);
        broken->client.fail(*open, fmt::format("topic {}: {} of {} messages may not have arrived", name_,
                                               with_commas(count), with_commas(std::ssize(verdicts_))));
    }
    const auto refused = std::ranges::find_if(verdicts_, is_refusal);
    if (refused == verdicts_.end()) return std::nullopt;
    return Refused{.message = static_cast<std::size_t>(refused - verdicts_.begin()),
                   .reason = rd_kafka_err2str(*refused)};
}

}  // namespace fermata::kafka
