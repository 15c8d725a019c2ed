#pragma once
// Kafka over librdkafka. See drivers/kafka/README.md.
#include <fermata/items/kafka/port.hpp>
#include <fermata/runtime/doorbell.hpp>

#include <memory>
#include <string>

namespace fermata::kafka {

/// What kafkaReader and kafkaWriter need.
[[nodiscard]] Driver driver();

/// `url`: kafka://…/TOPIC; the topic is "fermata" if there is none, and is made if the brokers allow it. Connects to
/// nobody: brokers may come and go. Throws Error(usage) for a URL or setting that is wrong, Error(refused) for what
/// this machine lacks (a certificate's file).
[[nodiscard]] std::unique_ptr<Doorbell> open_doorbell(const std::string& url);

}  // namespace fermata::kafka
