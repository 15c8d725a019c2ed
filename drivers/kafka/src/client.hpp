#pragma once
// One librdkafka client: made from a URL, and what it complained about last.
#include "handle.hpp"

#include <fermata/base/sync.hpp>
#include <fermata/items/kafka/port.hpp>

#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace fermata::kafka {

using Settings = std::vector<std::pair<std::string, std::string>>;

struct Wishes {
    Settings fixed;     ///< what we rely on: a URL that says otherwise is refused
    Settings defaults;  ///< what a URL may override
};

class Client {
public:
    /// `prepare` may set callbacks; their opaque is this Client. Throws Error(usage) for a setting that is wrong,
    /// Error(refused) if librdkafka cannot work with them.
    Client(
        rd_kafka_type_t type, const Url& url, const Wishes& wishes,
        void (*prepare)(rd_kafka_conf_t*) = [](rd_kafka_conf_t*) {});
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() = default;

    [[nodiscard]] rd_kafka_t* get() const noexcept { return client_.get(); }
    /// "kafka://host:9092"
    [[nodiscard]] const std::string& where() const noexcept { return where_; }
    /// The client's own words about what troubles it; empty if nothing does.
    [[nodiscard]] std::string trouble() const;
    /// From when no broker could be reached until the next reached().
    [[nodiscard]] bool is_cut_off() const noexcept { return outages_ != survived_; }
    void reached() noexcept { reached(outages_); }
    /// How often no broker could be reached. Who asks one takes it before: outages that begin meanwhile count.
    [[nodiscard]] std::int64_t outages() const noexcept { return outages_; }
    void reached(std::int64_t outages) noexcept { survived_ = outages; }
    /// Throws KafkaError "<what>: <error>: <trouble>" unless it is none.
    void check(rd_kafka_resp_err_t error, const std::string& what);
    [[noreturn]] void fail(rd_kafka_resp_err_t error, const std::string& what);

private:
    static void note(const rd_kafka_t* client, int level, const char* facility, const char* words);

    std::string where_;
    mutable Sync<std::string> trouble_;
    std::atomic<std::int64_t> outages_{0};
    std::atomic<std::int64_t> survived_{0};
    Handle<rd_kafka_t, rd_kafka_destroy> client_;  ///< last: its threads call note() until it is gone
};

/// Throws Error(refused) with did-you-mean if the brokers know no such topic, KafkaError if they do not answer. Answers
/// the number of its partitions.
[[nodiscard]] std::int32_t partitions_of(Client& client, rd_kafka_topic_t* topic, std::chrono::milliseconds patience);

/// For librdkafka, whose bounds are int.
[[nodiscard]] int millis(std::chrono::milliseconds bound);

}  // namespace fermata::kafka
