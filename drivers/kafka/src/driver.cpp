#include "doorbell.hpp"
#include "outbox.hpp"
#include "source.hpp"

#include <fermata/drivers/kafka.hpp>

namespace fermata::kafka {

Driver driver() {
    return {.source = [](const Url& url, const std::string& topic,
                         const Manner& manner) { return std::make_unique<TopicSource>(url, topic, manner); },
            .outbox = [](const Url& url, const std::string& topic,
                         const Manner& manner) { return std::make_unique<TopicOutbox>(url, topic, manner); }};
}

std::unique_ptr<Doorbell> open_doorbell(const std::string& url) {
    return std::make_unique<TopicDoorbell>(Url::parse(url));
}

}  // namespace fermata::kafka
