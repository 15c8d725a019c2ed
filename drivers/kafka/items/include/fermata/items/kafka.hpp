#pragma once
// kafkaReader, kafkaWriter.
#include <fermata/batch/registry.hpp>
#include <fermata/items/kafka/port.hpp>

namespace fermata {

/// `driver` is asked for when a step that uses one of them begins. Without one they can be validated, not run.
void add_kafka_artifacts(Registry& registry, kafka::Driver driver = {});

}  // namespace fermata
