#pragma once
// Stopping one step while its job goes on.
#include <fermata/base/stop_signal.hpp>
#include <fermata/repository/repository.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <stop_token>
#include <string>

namespace fermata {

/// What a step that runs listens to: it is to stop since its execution is, or since it alone is. Thread-safe.
class StepStop {
public:
    explicit StepStop(const StopSignal& execution)
        : on_stop_(execution.token(), [this, &execution] { signal_.request(execution.reason()); }),
          on_urgent_(execution.urgent_token(), [this, &execution] { signal_.request_now(execution.reason()); }) {}

    [[nodiscard]] const StopSignal& signal() const noexcept { return signal_; }
    [[nodiscard]] bool requested() const noexcept { return signal_.requested(); }
    /// Ends this step alone.
    void cut(bool now) {
        cut_.store(true);
        if (now)
            signal_.request_now(StopReason::operator_asked);
        else
            signal_.request(StopReason::operator_asked);
    }
    /// It was asked of this step: it ends COMPLETED, whatever was asked of the execution later. Sees what made
    /// requested() true.
    [[nodiscard]] bool is_cut() const noexcept { return signal_.reason() != StopReason::none && cut_.load(); }

private:
    using Callback = std::stop_callback<std::function<void()>>;
    StopSignal signal_;
    std::atomic<bool> cut_{false};
    Callback on_stop_;  // last: they use all of the above
    Callback on_urgent_;
};

/// The steps of an execution that run here. Thread-safe.
class StepStops {
public:
    /// Lists a step for as long as it lives.
    class Running {
    public:
        Running(StepStops& stops, Repository& repository, const StepClaim& step, StepStop& stop);
        ~Running();
        Running(const Running&) = delete;
        Running& operator=(const Running&) = delete;

    private:
        StepStops& stops_;
        const std::string step_;
    };
    /// What an owner has learned: so many requests there were. Throws nothing: while the repository is out of reach the
    /// next news are taken for these.
    void learn(Repository& repository, const Claim& claim, std::int64_t requests) noexcept;

private:
    void look(Repository& repository, const Claim& claim) noexcept;

    std::mutex mutex_;
    std::map<std::string, StepStop*> running_;
    std::atomic<std::int64_t> known_{0};
};

}  // namespace fermata
