#include "place.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::kafka {
namespace {

constexpr Duration default_timeout = std::chrono::minutes(1);

Duration timeout_of(const Properties& properties) {
    const auto timeout = properties.get<Duration>("timeout", default_timeout);
    if (timeout < std::chrono::seconds(1) || timeout > std::chrono::hours(24))
        throw properties.wrong("timeout", "is not between 1s and 24h");
    return timeout;
}

}  // namespace

Url url_of(const Properties& properties) {
    const auto text = properties.require<std::string>("url");
    try {
        return Url::parse(text);
    } catch (const Error& error) {
        const ErrorKind kind = error.kind() == ErrorKind::usage ? ErrorKind::invalid : error.kind();
        throw Error(kind, properties.wrong("url", error.what()).what(), error.remedy());
    }
}

std::string topic_of(const Properties& properties) {
    const auto topic = properties.require<std::string>("topic");
    if (const std::string wrong = wrong_with_topic(topic); !wrong.empty()) throw properties.wrong("topic", wrong);
    return topic;
}

Manner manner_of(const ArtifactContext& context) {
    return {.patience = std::chrono::duration_cast<std::chrono::milliseconds>(timeout_of(context.properties)),
            .stop = context.step->stop};
}

std::vector<PropertyInfo> place_info() {
    return {
        {.name = "url",
         .type = "brokers",
         .required = true,
         .about = "kafka://HOST:PORT[,HOST:PORT…][?SETTING=VALUE&…] with settings of librdkafka; user, password and "
                  "values may be @env:NAME or @file:PATH. With a user: TLS and SASL/PLAIN unless the settings say "
                  "otherwise"},
        {.name = "topic", .type = "topic", .required = true, .about = "its name"},
        {.name = "timeout",
         .type = "duration",
         .default_value = "1m",
         .about = "how long the brokers may leave an answer out before that is a fermata.KafkaError"}};
}

std::vector<PropertyRule> place_rules() {
    return {[](const Properties& properties) { (void)url_of(properties); },
            [](const Properties& properties) { (void)topic_of(properties); },
            [](const Properties& properties) { (void)timeout_of(properties); }};
}

std::size_t choice_of(const Properties& properties, std::string_view property,
                      const std::vector<std::string>& choices) {
    const auto given = properties.get<std::string>(property, choices.front());
    const auto found = std::ranges::find(choices, given);
    if (found == choices.end())
        throw properties.wrong(property, fmt::format("\"{}\" is none of {}{}", printable(given),
                                                     fmt::join(choices, ", "), did_you_mean(given, choices)));
    return static_cast<std::size_t>(found - choices.begin());
}

}  // namespace fermata::kafka
