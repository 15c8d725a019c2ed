#pragma once
// A topic in memory behind the port, for what no real broker does on demand.
#include <fermata/items/kafka/port.hpp>

#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

namespace fermata::kafka::testing {

struct FakeTopic {
    std::string cluster = "cluster-1";
    std::vector<std::vector<Message>> partitions;  ///< values must outlive it
    std::map<std::int32_t, Watermarks> marks;      ///< instead of what partitions say
    std::string trouble;
    int questions = 0;                   ///< asked of the brokers
    std::deque<Source::Event> script{};  ///< given before what partitions hold
    std::set<std::int32_t> silent;       ///< these give nothing

    // What the outbox got, and what it shall answer.
    std::vector<std::string> sent;
    std::optional<Refused> refused;
    int topic_checks = 0;

    void add(std::int32_t partition, std::int64_t offset, std::string_view value) {
        if (partitions.size() <= static_cast<std::size_t>(partition))
            partitions.resize(static_cast<std::size_t>(partition) + 1);
        partitions[static_cast<std::size_t>(partition)].push_back(
            {.partition = partition, .offset = offset, .value = value});
    }
    [[nodiscard]] std::int64_t end_of(std::int32_t partition) const {
        if (const auto found = marks.find(partition); found != marks.end()) return found->second.high;
        const auto& messages = partitions[static_cast<std::size_t>(partition)];
        return messages.empty() ? 0 : messages.back().offset + 1;
    }
};

class FakeSource final : public Source {
public:
    explicit FakeSource(FakeTopic& topic) : topic_(topic) {}
    std::string cluster() override { return ++topic_.questions, topic_.cluster; }
    std::int32_t partitions() override {
        return ++topic_.questions, static_cast<std::int32_t>(topic_.partitions.size());
    }
    Watermarks watermarks(std::int32_t partition) override {
        ++topic_.questions;
        const auto found = topic_.marks.find(partition);
        return found != topic_.marks.end() ? found->second : Watermarks{.high = topic_.end_of(partition)};
    }
    std::int64_t offset_at(std::int32_t /*partition*/, std::int64_t time) override { return time; }
    void start(std::int32_t partition, std::int64_t offset) override { next_[partition] = offset; }
    void stop(std::int32_t partition) override { next_.erase(partition); }
    Event next(std::chrono::milliseconds /*bound*/) override {
        if (!topic_.script.empty()) {
            const Event event = topic_.script.front();
            topic_.script.pop_front();
            return event;
        }
        for (auto& [partition, offset] : next_)
            if (!topic_.silent.contains(partition))
                if (auto event = event_of(partition, offset)) return *event;
        return {};
    }
    std::string trouble() override { return topic_.trouble; }

private:
    std::optional<Event> event_of(std::int32_t partition, std::int64_t& offset) {
        for (const Message& message : topic_.partitions[static_cast<std::size_t>(partition)])
            if (message.offset >= offset) {
                offset = message.offset + 1;
                told_.erase(partition);
                return Event{.message = message};
            }
        offset = std::max(offset, topic_.end_of(partition));
        if (!told_.insert(partition).second) return std::nullopt;
        return Event{.end = AtEnd{partition, offset}};
    }
    FakeTopic& topic_;
    std::map<std::int32_t, std::int64_t> next_;
    std::set<std::int32_t> told_;  ///< of their end
};

class FakeOutbox final : public Outbox {
public:
    explicit FakeOutbox(FakeTopic& topic) : topic_(topic) {}
    void check_topic() override { ++topic_.topic_checks; }
    std::optional<Refused> send(std::span<const Outgoing> messages) override {
        for (const Outgoing& message : messages)
            topic_.sent.push_back(std::string(message.key.value_or("-")) + "=" +
                                  std::string(message.value.value_or("null")) + " " + std::string(message.id));
        return topic_.refused;
    }

private:
    FakeTopic& topic_;
};

inline Driver driver_of(FakeTopic& topic) {
    return {.source = [&topic](const Url&, const std::string&,
                               const Manner&) { return std::make_unique<FakeSource>(topic); },
            .outbox = [&topic](const Url&, const std::string&,
                               const Manner&) { return std::make_unique<FakeOutbox>(topic); }};
}

}  // namespace fermata::kafka::testing
