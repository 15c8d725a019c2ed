#pragma once
// Ctrl-C, TERM and HUP as calls on an ordinary thread, so that they may do anything. A signal that was ignored when we
// started (nohup, background jobs of a shell) stays ignored.
#include <fermata/base/clock.hpp>

#include <condition_variable>
#include <csignal>
#include <functional>
#include <mutex>
#include <thread>

namespace fermata::cli {

class Interrupts {
public:
    /// `on_signal` gets 1 for the first, 2 for the second…, one at a time. Construct before any thread is started that
    /// must not take the signals itself: threads inherit the mask.
    explicit Interrupts(std::function<void(int count)> on_signal);
    ~Interrupts();
    Interrupts(const Interrupts&) = delete;
    Interrupts& operator=(const Interrupts&) = delete;

private:
    void serve();
    std::function<void(int)> on_signal_;
    sigset_t before_{};
    int signals_ = -1;
    int done_ = -1;
    std::thread thread_;
};

/// Sleeps that a signal ends.
class Patience {
public:
    /// False if a signal came, now or before.
    bool wait(Duration duration);

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool interrupted_ = false;
    Interrupts interrupts_{[this](int) {
        const std::lock_guard lock(mutex_);
        interrupted_ = true;
        changed_.notify_all();
    }};
};

}  // namespace fermata::cli
