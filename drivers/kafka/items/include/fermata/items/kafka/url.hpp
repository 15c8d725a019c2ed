#pragma once
// kafka://[USER:PASSWORD@]HOST:PORT[,HOST:PORT…][/TOPIC][?SETTING=VALUE&…], the settings being librdkafka's.
#include <string>
#include <utility>
#include <vector>

namespace fermata::kafka {

struct Url {
    std::string servers;  ///< "a:9092,b:9092"
    std::string topic;    ///< may be empty
    /// Of librdkafka, secrets revealed. USER and PASSWORD are sasl.username and sasl.password; with them
    /// security.protocol is sasl_ssl and sasl.mechanisms PLAIN unless the URL says otherwise.
    std::vector<std::pair<std::string, std::string>> settings;

    /// For messages: no user, no settings.
    [[nodiscard]] std::string display() const;
    /// Values may be @env:NAME or @file:PATH. Throws Error(usage) for what is no such URL, and what reveal_secret
    /// throws.
    [[nodiscard]] static Url parse(const std::string& text);
};

/// Nothing, or "\"a b\" is no name of a topic: …".
[[nodiscard]] std::string wrong_with_topic(const std::string& name);

}  // namespace fermata::kafka
