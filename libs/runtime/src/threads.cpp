#include "threads.hpp"

#include <utility>

namespace fermata {
namespace {

// Enough for who resumes what has just come to rest; what rests for long holds none.
constexpr std::size_t most_idle = 1;

}  // namespace

Threads::~Threads() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
        changed_.notify_all();
    }
    for (std::thread& thread : threads_) thread.join();
}

std::future<void> Threads::run(std::function<void()> work) {
    Task task(std::move(work));
    std::future<void> returned = task.get_future();
    const std::lock_guard lock(mutex_);
    join_done();
    if (handed_over_.size() >= idle_) {
        add(std::move(task));
        return returned;
    }
    handed_over_.push_back(std::move(task));
    changed_.notify_all();
    return returned;
}

void Threads::add(Task task) {
    const auto self = threads_.emplace(threads_.end());
    try {
        *self = std::thread([this, self, task = std::move(task)]() mutable { serve(self, std::move(task)); });
    } catch (...) {
        threads_.erase(self);
        throw;
    }
}

void Threads::join_done() {
    for (const Thread& thread : std::exchange(done_, {})) {
        thread->join();
        threads_.erase(thread);
    }
}

void Threads::serve(Thread self, Task task) {
    for (; task.valid(); task = next(self)) task();
}

/// None: this thread ends.
Threads::Task Threads::next(Thread self) {
    std::unique_lock lock(mutex_);
    if (idle_ < most_idle) {
        ++idle_;
        changed_.wait(lock, [this] { return ending_ || !handed_over_.empty(); });
        --idle_;
    }
    if (handed_over_.empty()) {
        done_.push_back(self);
        return {};
    }
    Task task = std::move(handed_over_.front());
    handed_over_.pop_front();
    return task;
}

}  // namespace fermata
