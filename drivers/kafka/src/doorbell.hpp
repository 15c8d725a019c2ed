#pragma once
#include "client.hpp"

#include <fermata/runtime/doorbell.hpp>

#include <atomic>
#include <chrono>
#include <memory>
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
    bool sent(std::chrono::milliseconds bound) noexcept override;
    void listen() override;
    std::vector<JobExecutionId> heard(std::chrono::milliseconds bound) override;
    void answered() noexcept override;
    void leave() noexcept override;
    void wake() noexcept override;
    std::string trouble() const override;
    Counts counts() const noexcept override;

private:
    /// Who hears. Made when it is to: a client of a group asks brokers for it even if it never joins.
    struct Ear {
        explicit Ear(const Url& url);
        Client client;
        Queue queue;
    };
    [[nodiscard]] MessageHandle next(std::chrono::steady_clock::duration bound);
    void look_for_broker(std::chrono::milliseconds bound);
    void take(const rd_kafka_message_t& message, std::set<JobExecutionId>& into);
    void to_answer(const rd_kafka_message_t& message);
    void subscribe();
    void make_topic();
    void look_for_topic();

    Url url_;
    std::string topic_;
    Client sender_;
    std::unique_ptr<Ear> ear_;
    Queue topic_made_;  ///< answers of brokers that were asked to make the topic
    std::optional<std::chrono::steady_clock::time_point> asked_;  ///< them
    bool waits_for_topic_ = false;
    Partitions unanswered_;   ///< how far of each part of the topic was heard since answered()
    bool has_taken_ = false;  ///< a message, since brokers were looked for
    std::atomic<std::int64_t> rung_{0};
    std::atomic<std::int64_t> not_rung_{0};
    std::atomic<std::int64_t> heard_count_{0};
    std::atomic<std::int64_t> dismissed_{0};
};

}  // namespace fermata::kafka
