#pragma once
// kafkaWriter: records as messages, all of a chunk kept by the brokers before the chunk commits. At least once; what
// was sent twice can be told by its header fermata-id (sink class T4).
#include "shape.hpp"

#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/items/json/text.hpp>
#include <fermata/items/kafka/port.hpp>

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fermata::kafka {

struct WriterOptions {
    Format format = Format::json;
    std::string key;    ///< column; empty: messages have no key
    std::string value;  ///< column; empty with json: the whole record
    /// Throws Error(invalid).
    [[nodiscard]] static WriterOptions of(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
    [[nodiscard]] static std::vector<PropertyInfo> info();
};

class KafkaWriter {
public:
    using item_type = Record;

    /// For a program that has no driver: open() says so.
    explicit KafkaWriter(const ArtifactContext& context) : KafkaWriter(context, {}) {}
    KafkaWriter(const ArtifactContext& context, Driver driver);

    /// Throws KafkaError, and Error(refused) if there is no such topic.
    void open(const Checkpoint& from);
    /// Returns when the brokers keep every message. Throws ConstraintError naming the first record they do not take;
    /// KafkaError when it is not known whether they keep all.
    void write(std::span<Record> records, Transaction& transaction);

private:
    /// Where a message's parts stand in text_: it grows while they are made.
    struct Part {
        std::size_t begin = 0;
        std::size_t size = 0;
    };
    struct Parts {
        std::optional<Part> key;
        std::optional<Part> value;
        Part id;
    };
    [[nodiscard]] Parts parts_of(const Record& record, const Transaction& transaction, std::size_t n);
    [[nodiscard]] std::optional<Part> cell(const Record& record, const std::string& column);
    [[nodiscard]] std::string_view text(const Part& part) const;

    Properties properties_;
    Manner manner_;
    Driver driver_;
    std::string topic_;
    WriterOptions options_;
    std::string id_;  ///< of this step and partition: "instance/step/partition"
    std::unique_ptr<Outbox> outbox_;
    json::Text json_;
    std::string text_;
    std::vector<Parts> parts_;
    std::vector<Outgoing> outgoing_;
};

}  // namespace fermata::kafka
