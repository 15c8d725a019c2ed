#pragma once
// A worker's lease, where several hosts share a repository: it runs by the database's clock, and whoever finds that it
// has run out may take over what the worker owns. So the worker has to know before that: it trusts its lease by its own
// clock, counted from before the renewal was sent, and a margin less.
//
// Time decides only when somebody tries: what a worker that was taken for dead still writes is refused by epoch.
#include <fermata/repository/repository.hpp>

#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace fermata {

class Heartbeat {
public:
    struct Terms {
        std::chrono::milliseconds ttl{15'000};
        std::chrono::milliseconds margin{3'000};
        std::chrono::milliseconds interval{3'000};
    };
    /// Takes the lease, then renews it on a thread and a connection of its own. `on_distrust` is called on another
    /// thread, each time the lease cannot be trusted any more: what runs must write nothing and end its children.
    /// `on_trouble` is told on a thread of its own why the lease could not be renewed, once until it is renewed again.
    /// REQUIRES: the worker is enlisted. Throws as the repository's verbs.
    Heartbeat(Repository& repository, const Worker& worker, std::function<void()> on_distrust, Terms terms,
              std::function<void(const std::string&)> on_trouble = {});
    ~Heartbeat();

    /// Whether the engine has hosts to tell apart: else the kernel tells all there is to know.
    [[nodiscard]] static bool is_needed(Repository& repository);
    [[nodiscard]] bool is_trusted() const;
    /// Somebody has declared the worker dead. For good.
    [[nodiscard]] bool is_dead() const;

private:
    using Instant = std::chrono::nanoseconds;  ///< of CLOCK_BOOTTIME, which goes on while the host sleeps
    void beat();
    void renew();
    void watch();

    Repository& repository_;
    const std::int64_t worker_;
    const std::function<void()> on_distrust_;
    const std::function<void(const std::string&)> on_trouble_;
    const Terms terms_;
    std::unique_ptr<sql::Connection> connection_;  ///< of the thread that beats
    mutable std::mutex mutex_;
    std::condition_variable changed_;
    bool done_ = false;
    bool dead_ = false;
    Instant trusted_until_{};
    std::thread beating_;
    std::thread watching_;
};

}  // namespace fermata
