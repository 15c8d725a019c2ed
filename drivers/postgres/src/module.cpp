// What libfermata.so asks of a driver's module (libs/fermata/src/driver_module.cpp).
#include <fermata/drivers/postgres.hpp>

extern "C" {

[[gnu::visibility("default")]] const char* fermata_module_version() { return FERMATA_VERSION; }

/// Throws as postgres::open_database(); the caller owns what it gets.
[[gnu::visibility("default")]] fermata::sql::Database* fermata_open_database(const std::string& url) {
    return fermata::postgres::open_database(url).release();
}
}
