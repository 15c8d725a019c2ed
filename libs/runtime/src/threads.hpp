#pragma once
// Threads that run one execution after another: one that pauses and is resumed at once pays for no thread of its own.
#include <condition_variable>
#include <deque>
#include <functional>
#include <future>
#include <list>
#include <mutex>
#include <thread>
#include <vector>

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
    using Thread = std::list<std::thread>::iterator;
    void add(Task task);
    void join_done();
    void serve(Thread self, Task task);
    [[nodiscard]] Task next(Thread self);

    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Task> handed_over_;  ///< to idle threads; never more than there are
    std::size_t idle_ = 0;
    bool ending_ = false;
    std::list<std::thread> threads_;
    std::vector<Thread> done_;  ///< need nothing of this any more
};

}  // namespace fermata
