#pragma once
#include "client.hpp"

#include <fermata/items/kafka/port.hpp>

#include <memory>
#include <vector>

namespace fermata::kafka {

/// Over librdkafka's idempotent producer.
class TopicOutbox final : public Outbox {
public:
    TopicOutbox(Url url, std::string topic, const Manner& manner);

    void check_topic() override;
    std::optional<Refused> send(std::span<const Outgoing> messages) override;

private:
    /// A client and its topic; made anew after an error that leaves open what the brokers have.
    struct Line {
        Line(const Url& url, const std::string& name, const Manner& manner);
        Client client;
        Topic topic;
    };
    using Verdict = rd_kafka_resp_err_t;

    [[nodiscard]] Line& line();
    [[nodiscard]] bool hand_over(Line& to, const Outgoing& message, Verdict& verdict);
    [[nodiscard]] bool is_stopped() const;
    void wait_for_verdicts(Line& to);
    [[nodiscard]] std::optional<Refused> judge();
    static void delivered(rd_kafka_t* client, const rd_kafka_message_t* message, void* opaque);

    Url url_;  ///< with its secrets, for a new client
    std::string name_;
    Manner manner_;
    std::unique_ptr<Line> line_;
    std::vector<Verdict> verdicts_;
};

}  // namespace fermata::kafka
