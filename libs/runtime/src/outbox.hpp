#pragma once
// What a partition's collector gave for the chunk that is about to be committed: stored in that commit, handed over
// only after it.
#include <functional>
#include <optional>
#include <string>
#include <utility>

namespace fermata {

class Outbox {
public:
    explicit Outbox(std::function<void(std::string)> deliver) : deliver_(std::move(deliver)) {}
    /// Instead of what was put before and not committed: that chunk was rolled back.
    void put(std::optional<std::string> data) { pending_ = std::move(data); }
    [[nodiscard]] const std::optional<std::string>& pending() const noexcept { return pending_; }
    void deliver() {
        if (pending_) deliver_(*std::exchange(pending_, std::nullopt));
    }

private:
    std::function<void(std::string)> deliver_;
    std::optional<std::string> pending_;
};

}  // namespace fermata
