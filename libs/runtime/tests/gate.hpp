#pragma once
#include <chrono>
#include <condition_variable>
#include <mutex>

namespace fermata::test {

/// Opened once; everybody waiting goes on.
class Gate {
public:
    void open() {
        const std::lock_guard lock(mutex_);
        is_open_ = true;
        changed_.notify_all();
    }
    /// False if it was not opened within the deadline.
    [[nodiscard]] bool wait(std::chrono::seconds deadline = std::chrono::seconds(30)) {
        std::unique_lock lock(mutex_);
        return changed_.wait_for(lock, deadline, [this] { return is_open_; });
    }

private:
    std::mutex mutex_;
    std::condition_variable changed_;
    bool is_open_ = false;
};

}  // namespace fermata::test
