#include "kafka_reader.hpp"
#include "kafka_writer.hpp"

#include <fermata/items/kafka.hpp>

namespace fermata {
namespace {

ArtifactInfo reader_info() {
    return {
        .about =
            "Reads the messages of a Kafka topic, each once: the offsets stand in the checkpoint, no consumer group "
            "is used and nothing is committed to Kafka. A topic that lost messages not read yet, or was made anew, "
            "is refused. A message that is wrong can be skipped: fermata.ParseError (no JSON object), "
            "fermata.ReadError (no UTF-8)",
        .properties = kafka::ReaderOptions::info(),
        .example = R"(<reader ref="kafkaReader">
  <properties>
    <property name="url" value="kafka://broker:9092"/>
    <property name="topic" value="orders"/>
    <property name="format" value="json"/>
  </properties>
</reader>)"};
}

ArtifactInfo writer_info() {
    return {.about =
                "Writes records to a Kafka topic. A chunk commits when the brokers keep all of its messages: at least "
                "once. The header fermata-id (instance/step/partition/generation/sequence/n) is the same for a message "
                "that was sent again, so that readers can leave it out",
            .properties = kafka::WriterOptions::info(),
            .example = R"(<writer ref="kafkaWriter">
  <properties>
    <property name="url" value="kafka://loader:@env:KAFKA_PASSWORD@broker:9093"/>
    <property name="topic" value="orders"/>
    <property name="key" value="customer"/>
  </properties>
</writer>)"};
}

}  // namespace

void add_kafka_artifacts(Registry& registry, kafka::Driver driver) {
    ArtifactEntry& reader = registry.reader<kafka::KafkaReader>("kafkaReader", reader_info());
    reader.rules = kafka::ReaderOptions::rules();
    reader.make_reader = [driver](const ArtifactContext& context) -> std::unique_ptr<AnyReader> {
        return std::make_unique<ReaderAdapter<kafka::KafkaReader>>(
            std::make_unique<kafka::KafkaReader>(context, driver));
    };
    ArtifactEntry& writer = registry.writer<kafka::KafkaWriter>("kafkaWriter", writer_info());
    writer.rules = kafka::WriterOptions::rules();
    writer.make_writer = [driver](const ArtifactContext& context) -> std::unique_ptr<AnyWriter> {
        return std::make_unique<WriterAdapter<kafka::KafkaWriter>>(
            std::make_unique<kafka::KafkaWriter>(context, driver));
    };
    registry.exception<kafka::KafkaError>("fermata.KafkaError", "fermata.Error");
}

}  // namespace fermata
