#pragma once
// kafkaReader: the messages of a topic, each once. The checkpoint holds an offset for each partition; there is no
// consumer group, and nothing is committed to Kafka.
#include "reader_options.hpp"
#include "slices.hpp"

#include <fermata/batch/context.hpp>
#include <fermata/items/kafka/port.hpp>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata::kafka {

class KafkaReader {
public:
    using item_type = Record;

    /// For a program that has no driver: open() says so.
    explicit KafkaReader(const ArtifactContext& context) : KafkaReader(context, {}) {}
    KafkaReader(const ArtifactContext& context, Driver driver);

    /// The first time: throws KafkaError, and Error(refused) where the topic is not what was read before: another
    /// cluster, offsets that are gone. After a rollback nobody is asked.
    void open(const Checkpoint& from);
    /// Throws ReadError or ParseError for one message, reading then goes on with the next; KafkaError where brokers do
    /// not answer, reading then goes on at the same message.
    bool read(Record& into);
    [[nodiscard]] Checkpoint checkpoint() const { return reading_.to_checkpoint(); }
    /// "orders/0:41" of the message read last.
    [[nodiscard]] std::string position() const;
    [[nodiscard]] double fraction() const noexcept { return reading_.fraction(); }
    void close();

private:
    using Instant = std::chrono::steady_clock::time_point;
    struct Fetch {
        bool runs = false;
        bool at_end = false;  ///< there was nothing more, last we heard
    };

    void connect();
    [[nodiscard]] Reading beginning();
    [[nodiscard]] Slice fresh(std::int32_t partition);
    [[nodiscard]] std::vector<std::int32_t> wanted();
    [[nodiscard]] Reading checked(Reading reading);
    void check(Slice& slice);

    void fetch_more();
    void finish(std::size_t index);
    [[nodiscard]] const Message* next_message();
    [[nodiscard]] bool take(const Message& message);
    void take(const AtEnd& end);
    [[nodiscard]] bool has_ended(Instant waiting_since);
    [[nodiscard]] bool is_at_end() const;
    [[nodiscard]] bool nothing_new();
    [[nodiscard]] std::size_t index_of(std::int32_t partition) const;

    Properties properties_;
    Manner manner_;
    Driver driver_;
    std::string topic_;
    ReaderOptions options_;
    bool accepts_change_;
    Shape shape_;

    std::unique_ptr<Source> source_;
    std::string where_;  ///< kafka://host:9092
    Reading first_;      ///< where this step began, for a rollback before its first commit
    Reading reading_;
    std::vector<Fetch> fetches_;  ///< of each slice
    std::size_t running_ = 0;     ///< of them
    std::optional<std::size_t> last_;
    Source::Event event_;
    std::string source_name_;  ///< for Record::place()
};

}  // namespace fermata::kafka
