#pragma once
#include "client.hpp"

#include <fermata/runtime/doorbell.hpp>

#include <atomic>
#include <chrono>
#include <optional>
#include <set>
#include <string>

namespace fermata::kafka {

/// A topic, and a consumer group of all workers.
class TopicDoorbell final : public Doorbell {
public:
    explicit TopicDoorbell(const Url& url);
    ~TopicDoorbell() override;

    void ring(JobExecutionId execution, std::int64_t workers) noexcept override;
    std::vector<JobExecutionId> heard(std::chrono::milliseconds bound) override;
    void answered() noexcept override;
    void wake() noexcept override;
    Counts counts() const noexcept override;

private:
    [[nodiscard]] MessageHandle next(std::chrono::steady_clock::duration bound);
    void take(const rd_kafka_message_t& message, std::set<JobExecutionId>& into);
    void subscribe();
    void make_topic();
    void look_for_topic();

    std::string topic_;
    Client sender_;
    Client listener_;
    Queue heard_;       ///< of the listener
    Queue topic_made_;  ///< answers of brokers that were asked to make the topic
    std::optional<std::chrono::steady_clock::time_point> asked_;  ///< them
    bool waits_for_topic_ = false;
    std::atomic<std::int64_t> rung_{0};
    std::atomic<std::int64_t> not_rung_{0};
    std::atomic<std::int64_t> heard_count_{0};
    std::atomic<std::int64_t> dismissed_{0};
};

}  // namespace fermata::kafka
