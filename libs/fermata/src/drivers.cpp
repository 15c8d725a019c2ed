// The only place that names drivers and formats together.
#include "driver_module.hpp"

#include <fermata/drivers/sqlite.hpp>
#include <fermata/fermata.hpp>
#include <fermata/items/command.hpp>
#include <fermata/items/csv.hpp>
#include <fermata/items/jsonl.hpp>
#include <fermata/items/kafka.hpp>
#include <fermata/items/partition.hpp>
#include <fermata/items/record.hpp>
#include <fermata/items/sql.hpp>

namespace fermata {
namespace {

kafka::Driver kafka_when_needed() {
    using namespace kafka;
    return {.source = [](const Url& url, const std::string& topic,
                         const Manner& manner) { return kafka_by_module().source(url, topic, manner); },
            .outbox = [](const Url& url, const std::string& topic,
                         const Manner& manner) { return kafka_by_module().outbox(url, topic, manner); }};
}

}  // namespace

void register_stock_artifacts(Registry& registry) {
    add_command_artifacts(registry);
    add_csv_artifacts(registry);
    add_jsonl_artifacts(registry);
    add_kafka_artifacts(registry, kafka_when_needed());
    add_partition_artifacts(registry);
    add_record_artifacts(registry);
    add_sql_artifacts(registry);
}

sql::Drivers stock_drivers() {
    sql::Drivers drivers;
    add_sqlite_driver(drivers);
    for (const char* scheme : {"postgresql", "postgres"})
        drivers.add(scheme, [](const std::string& url) { return open_by_module("postgres", url); });
    return drivers;
}

std::unique_ptr<Doorbell> open_doorbell(const std::string& url) { return doorbell_by_module(url); }

}  // namespace fermata
