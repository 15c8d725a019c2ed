#pragma once
// A topic of one test's own, written and read with nothing of ours in between.
#include <fermata/testing/kafka_broker.hpp>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace fermata::testing {

struct KafkaMessage {
    std::int32_t partition = 0;
    std::optional<std::string> key = {};
    std::optional<std::string> value = {};  ///< nothing: a tombstone
    std::vector<std::pair<std::string, std::string>> headers = {};
    std::int64_t timestamp = 0;  ///< ms; 0: when it is sent
    std::int64_t offset = -1;    ///< of one that was read
};

/// Every call waits for the broker's answer and throws std::runtime_error with its words.
class KafkaTopic {
public:
    /// Makes one with a name that no other has.
    explicit KafkaTopic(int partitions = 1, const KafkaBroker& broker = KafkaBroker::shared());
    /// One that is there, or will be made by create().
    KafkaTopic(std::string bootstrap, std::string name);
    KafkaTopic(const KafkaTopic&) = delete;
    KafkaTopic& operator=(const KafkaTopic&) = delete;
    ~KafkaTopic();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }
    void create(int partitions);
    void remove();

    void send(const std::vector<KafkaMessage>& messages);
    void send(const KafkaMessage& message) { send(std::vector{message}); }
    /// In a transaction: one more offset of each partition is used up by what ends it.
    void send_in_transaction(const std::vector<KafkaMessage>& messages, bool commit = true);
    /// As retention does: what stands before `offset` is gone.
    void forget_before(std::int32_t partition, std::int64_t offset);
    /// All there is now, partition by partition.
    [[nodiscard]] std::vector<KafkaMessage> read();
    /// How many messages a consumer group has committed, over all partitions.
    [[nodiscard]] std::int64_t committed(const std::string& group);

private:
    struct Client;
    std::string name_;
    std::unique_ptr<Client> client_;
};

}  // namespace fermata::testing
