#pragma once
// Drivers whose C library is heavy are modules, loaded when a URL of theirs is first opened, so that everybody else
// starts without them.
#include <fermata/items/kafka/port.hpp>
#include <fermata/runtime/doorbell.hpp>
#include <fermata/sql/sql.hpp>

#include <memory>
#include <string>

namespace fermata {

/// Has the module of `driver` ("postgres") open `url`. It stands in the folder fermata beside libfermata.so, or in one
/// of FERMATA_MODULE_PATH (folders separated by ":"), which is then the only place. Throws Error(refused) if it cannot
/// be loaded or belongs to another version.
[[nodiscard]] std::unique_ptr<sql::Database> open_by_module(const std::string& driver, const std::string& url);
/// The same for Kafka, whose module serves other ports.
[[nodiscard]] const kafka::Driver& kafka_by_module();
[[nodiscard]] std::unique_ptr<Doorbell> doorbell_by_module(const std::string& url);

}  // namespace fermata
