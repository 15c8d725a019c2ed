// The only place that names drivers and formats together.
#include "driver_module.hpp"

#include <fermata/drivers/sqlite.hpp>
#include <fermata/fermata.hpp>
#include <fermata/items/command.hpp>
#include <fermata/items/csv.hpp>
#include <fermata/items/jsonl.hpp>
#include <fermata/items/partition.hpp>
#include <fermata/items/record.hpp>
#include <fermata/items/sql.hpp>

namespace fermata {

void register_stock_artifacts(Registry& registry) {
    add_command_artifacts(registry);
    add_csv_artifacts(registry);
    add_jsonl_artifacts(registry);
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

}  // namespace fermata
