#include "client.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <syslog.h>
#include <algorithm>
#include <array>
#include <limits>

namespace fermata::kafka {
namespace {

using Words = std::array<char, 512>;

void set(rd_kafka_conf_t* configuration, const std::string& name, const std::string& value) {
    Words words{};
    if (rd_kafka_conf_set(configuration, name.c_str(), value.c_str(), words.data(), words.size()) != RD_KAFKA_CONF_OK)
        throw Error(ErrorKind::usage, fmt::format("the Kafka URL: {}", printable(words.data())),
                    "settings are those of librdkafka's CONFIGURATION.md");
}

void set_all(rd_kafka_conf_t* configuration, const Url& url, const Wishes& wishes) {
    set(configuration, "bootstrap.servers", url.servers);
    set(configuration, "client.id", "fermata");
    for (const auto& [name, value] : wishes.defaults) set(configuration, name, value);
    for (const auto& [name, value] : url.settings) {
        if (std::ranges::find(wishes.fixed, name, &Settings::value_type::first) != wishes.fixed.end())
            throw Error(ErrorKind::usage, fmt::format("the Kafka URL: {} cannot be set", printable(name)),
                        "leave it out: what Fermata promises depends on it");
        set(configuration, name, value);
    }
    for (const auto& [name, value] : wishes.fixed) set(configuration, name, value);
}

std::vector<std::string> topic_names(const rd_kafka_metadata_t& metadata) {
    std::vector<std::string> names;
    for (int i = 0; i < metadata.topic_cnt; ++i) names.emplace_back(metadata.topics[i].topic);
    return names;
}

/// What is near to a name that does not exist; nothing where brokers do not tell.
std::string suggestion(Client& client, const std::string& name, std::chrono::milliseconds patience) {
    const rd_kafka_metadata_t* all = nullptr;
    if (rd_kafka_metadata(client.get(), 1, nullptr, &all, millis(patience)) != RD_KAFKA_RESP_ERR_NO_ERROR) return {};
    const Metadata metadata(all);
    return did_you_mean(name, topic_names(*metadata));
}

}  // namespace

Client::Client(rd_kafka_type_t type, const Url& url, const Wishes& wishes, void (*prepare)(rd_kafka_conf_t*))
    : where_(url.display()) {
    Configuration configuration(rd_kafka_conf_new());
    set_all(configuration.get(), url, wishes);
    rd_kafka_conf_set_opaque(configuration.get(), this);
    rd_kafka_conf_set_log_cb(configuration.get(), note);
    prepare(configuration.get());
    Words words{};
    client_.reset(rd_kafka_new(type, configuration.get(), words.data(), words.size()));
    if (!client_)
        throw Error(ErrorKind::refused, fmt::format("{}: {}", where_, printable(words.data())), "mend the Kafka URL");
    (void)configuration.release();  // the client's now
}

/// On a thread of librdkafka.
void Client::note(const rd_kafka_t* client, int level, const char* /*facility*/, const char* words) {
    if (level > LOG_WARNING) return;
    std::string_view said(words);
    if (said.starts_with("[thrd:")) said.remove_prefix(std::min(said.find("]: ") + 3, said.size()));
    auto* self = static_cast<Client*>(rd_kafka_opaque(client));
    if (said.ends_with("brokers are down")) {  // why was said before
        ++self->outages_;
        return;
    }
    *self->trouble_.lock() = printable(said);
}

std::string Client::trouble() const { return *trouble_.lock(); }

void Client::check(rd_kafka_resp_err_t error, const std::string& what) {
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR) fail(error, what);
}

void Client::fail(rd_kafka_resp_err_t error, const std::string& what) {
    const std::string more = trouble();
    throw KafkaError(
        ErrorKind::unreachable,
        fmt::format("{}: {}: {}{}{}", where_, what, rd_kafka_err2str(error), more.empty() ? "" : "; ", more),
        "see whether the brokers run, can be reached, and let this user in");
}

std::int32_t partitions_of(Client& client, rd_kafka_topic_t* topic, std::chrono::milliseconds patience) {
    const std::string name = rd_kafka_topic_name(topic);
    const rd_kafka_metadata_t* found = nullptr;
    client.check(rd_kafka_metadata(client.get(), 0, topic, &found, millis(patience)), "topic " + name);
    const Metadata metadata(found);
    const rd_kafka_metadata_topic_t& said = metadata->topics[0];
    if (said.err == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
        throw Error(
            ErrorKind::refused,
            fmt::format("there is no topic \"{}\" at {}{}", name, client.where(), suggestion(client, name, patience)),
            "make it, or mend the property topic");
    if (said.err == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED)
        throw Error(ErrorKind::refused, fmt::format("topic \"{}\" at {}: this user may not", name, client.where()),
                    "let the brokers' administrator grant it");
    client.check(said.err, "topic " + name);
    return said.partition_cnt;
}

int millis(std::chrono::milliseconds bound) {
    return static_cast<int>(std::clamp<std::int64_t>(bound.count(), 0, std::numeric_limits<int>::max()));
}

}  // namespace fermata::kafka
