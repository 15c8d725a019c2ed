#pragma once
// The doorbell of the settings, opened when it is first needed: who looks at executions needs none. It is a hint, so
// that nothing of it keeps anybody from his work: a ring that cannot be is told of in one line when this ends.
#include <fermata/runtime/doorbell.hpp>

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace fermata::cli {

class Ringing final : public Doorbell {
public:
    using Open = std::function<std::unique_ptr<Doorbell>()>;
    explicit Ringing(Open open) : open_(std::move(open)) {}
    /// Waits a second at most for what was rung to be sent.
    ~Ringing() override;

    void ring(JobExecutionId execution, std::int64_t workers) noexcept override;
    bool sent(std::chrono::milliseconds bound) noexcept override;
    /// Throws as `open`, too.
    void listen() override;
    std::vector<JobExecutionId> heard(std::chrono::milliseconds bound) override { return doorbell_->heard(bound); }
    void answered() noexcept override { doorbell_->answered(); }
    void leave() noexcept override { doorbell_->leave(); }
    void wake() noexcept override { doorbell_->wake(); }
    [[nodiscard]] std::string trouble() const override;
    [[nodiscard]] Counts counts() const noexcept override;

private:
    /// Null if it cannot be opened.
    Doorbell* opened() noexcept;
    /// Null if it was not opened.
    [[nodiscard]] Doorbell* found() const noexcept;

    Open open_;
    mutable std::mutex mutex_;  ///< of opening
    std::unique_ptr<Doorbell> doorbell_;
    std::string why_not_;
    bool is_listening_ = false;
};

}  // namespace fermata::cli
