// What libfermata.so asks of a driver's module (libs/fermata/src/driver_module.cpp).
#include <fermata/drivers/kafka.hpp>

extern "C" {

[[gnu::visibility("default")]] const char* fermata_module_version() { return FERMATA_VERSION; }

[[gnu::visibility("default")]] const fermata::kafka::Driver* fermata_kafka_driver() {
    static const fermata::kafka::Driver driver = fermata::kafka::driver();
    return &driver;
}

/// Throws as kafka::open_doorbell(); the caller owns what it gets.
[[gnu::visibility("default")]] fermata::Doorbell* fermata_open_doorbell(const std::string& url) {
    return fermata::kafka::open_doorbell(url).release();
}
}
