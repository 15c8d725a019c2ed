#pragma once
// Threads that run one execution after another: one that pauses and is resumed at once pays for no thread of its own.
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <mutex>
#include <optional>

namespace fermata {

class Threads {
public:
    Threads() = default;
    /// Waits for all that runs.
    ~Threads();
    Threads(const Threads&) = delete;
    Threads& operator=(const Threads&) = delete;

    /// Runs it at once, beside whatever else runs. The answer is ready when it has returned. Throws std::system_error
    /// if no thread is to be had: then nothing runs.
    [[nodiscard]] std::future<void> run(std::function<void()> work);

private:
    using Task = std::packaged_task<void()>;
    void serve(Task task);
    std::optional<Task> next();

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Task> handed_over_;  ///< to idle threads; never more than there are
    std::size_t idle_ = 0;
    std::size_t threads_ = 0;
    bool ending_ = false;
};

}  // namespace fermata
