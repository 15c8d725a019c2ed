#pragma once
// What kafkaReader and kafkaWriter ask of a Kafka client. Implemented by the driver's module, over librdkafka.
#include <fermata/base/error.hpp>
#include <fermata/base/stop_signal.hpp>
#include <fermata/items/kafka/url.hpp>

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::kafka {

/// The brokers did not answer in time (transient), or refused. For retry lists: fermata.KafkaError.
class KafkaError : public Error {
public:
    KafkaError(ErrorKind kind, const std::string& message, std::string remedy = {})
        : Error(kind, message, std::move(remedy)) {}
    [[nodiscard]] bool is_transient() const noexcept override { return kind() == ErrorKind::unreachable; }
};

/// How a client of ours behaves.
struct Manner {
    std::chrono::milliseconds patience{std::chrono::minutes(1)};  ///< how long brokers may leave us without an answer
    const StopSignal* stop = nullptr;  ///< `stop --now` ends every wait, with a KafkaError; may be null
};

struct Header {
    std::string_view name;
    std::optional<std::string_view> value;
};

/// Borrowed: until the next call of who gave it.
struct Message {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
    std::optional<std::int64_t> timestamp = {};  ///< milliseconds since 1970, UTC
    std::optional<std::string_view> key = {};
    std::optional<std::string_view> value = {};  ///< nothing: a tombstone
    std::span<const Header> headers = {};
};
/// Everything before this offset of the partition has been handed out, and there is no more at present.
struct AtEnd {
    std::int32_t partition = 0;
    std::int64_t offset = 0;
};
struct Watermarks {
    std::int64_t low = 0;   ///< the first offset that is there
    std::int64_t high = 0;  ///< behind the last one that is committed
};

/// The messages of one topic, read without a consumer group: Kafka keeps nothing about us. One thread.
class Source {
public:
    virtual ~Source() = default;
    // Questions to the brokers: throw KafkaError when they are not answered.
    /// The cluster's id; empty if it has none.
    [[nodiscard]] virtual std::string cluster() = 0;
    /// Throws Error(refused) if there is no such topic.
    [[nodiscard]] virtual std::int32_t partitions() = 0;
    [[nodiscard]] virtual Watermarks watermarks(std::int32_t partition) = 0;
    /// Of the first message with this time (ms) or later; the end if there is none.
    [[nodiscard]] virtual std::int64_t offset_at(std::int32_t partition, std::int64_t time) = 0;

    /// Begins to fetch the partition from `offset` on. Asks nobody. REQUIRES: it is not being fetched.
    virtual void start(std::int32_t partition, std::int64_t offset) = 0;
    /// What was fetched of it is forgotten.
    virtual void stop(std::int32_t partition) = 0;

    struct Event {
        std::optional<Message> message;
        std::optional<AtEnd> end;
    };
    /// The next message, or end, of any partition that was started; neither when nothing came within `bound`. Throws
    /// Error(refused) when the topic or the offset is not there any more, or we may not read it.
    [[nodiscard]] virtual Event next(std::chrono::milliseconds bound) = 0;
    /// What the client complained about last; empty if nothing.
    [[nodiscard]] virtual std::string trouble() = 0;
};

/// A message to be sent. Borrowed until send() returns.
struct Outgoing {
    std::optional<std::string_view> key = {};
    std::optional<std::string_view> value = {};  ///< nothing: a tombstone
    std::string_view id = {};                    ///< goes into the header fermata-id
};
/// What a broker, or the client, did not take for what it is: too large, refused by the topic's rules.
struct Refused {
    std::size_t message;
    std::string reason;
};

/// Sends to one topic, idempotently: a message that had to be sent again by the client stands once, in order. One
/// thread.
class Outbox {
public:
    virtual ~Outbox() = default;
    /// Throws Error(refused) if there is no such topic, KafkaError when nobody answers.
    virtual void check_topic() = 0;
    /// Returns when every message is kept by the brokers (acks=all), or refused: then the first that was. Throws
    /// KafkaError when that is not known of some of them: they may be there or not, and the next send() begins with a
    /// new client.
    [[nodiscard]] virtual std::optional<Refused> send(std::span<const Outgoing> messages) = 0;
};

struct Driver {
    std::function<std::unique_ptr<Source>(const Url& url, const std::string& topic, const Manner& manner)> source;
    std::function<std::unique_ptr<Outbox>(const Url& url, const std::string& topic, const Manner& manner)> outbox;
};

}  // namespace fermata::kafka
