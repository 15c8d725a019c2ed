#include <fermata/testing/kafka_broker.hpp>

#include <sstream>

namespace fermata::testing {

KafkaBroker::KafkaBroker(const std::string& address) {
    std::string folder;
    std::istringstream(address) >> bootstrap_ >> secure_ >> folder;
    folder_ = folder;
}

KafkaBroker::KafkaBroker(std::unique_ptr<ServerGuard> guard) : KafkaBroker(guard->address()) {
    guard_ = std::move(guard);
}

KafkaBroker::KafkaBroker()
    : KafkaBroker(std::make_unique<ServerGuard>(FERMATA_KAFKA_BROKER, std::vector<std::string>())) {}

KafkaBroker::~KafkaBroker() = default;

KafkaBroker& KafkaBroker::shared() {
    static const std::unique_ptr<KafkaBroker> broker = [] {
        if (const auto address = address_of_ctest("FERMATA_TEST_KAFKA"))
            return std::unique_ptr<KafkaBroker>(new KafkaBroker(*address));
        return std::make_unique<KafkaBroker>();
    }();
    return *broker;
}

std::optional<std::string> KafkaBroker::missing() {
    return missing_server([] { (void)shared(); });
}

void KafkaBroker::kill() { guard_->obey("kill"); }
void KafkaBroker::stop() { guard_->obey("stop"); }
void KafkaBroker::start() { guard_->obey("start"); }
void KafkaBroker::freeze() { guard_->obey("freeze"); }
void KafkaBroker::thaw() { guard_->obey("thaw"); }

}  // namespace fermata::testing
