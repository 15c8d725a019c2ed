#include "threads.hpp"

#include <thread>
#include <utility>

namespace fermata {
namespace {

// Enough for who resumes what has just come to rest; what rests for long holds none.
constexpr std::size_t most_idle = 1;

}  // namespace

Threads::~Threads() {
    std::unique_lock lock(mutex_);
    ending_ = true;
    changed_.notify_all();
    changed_.wait(lock, [this] { return threads_ == 0; });
}

std::future<void> Threads::run(std::function<void()> work) {
    Task task(std::move(work));
    std::future<void> done = task.get_future();
    const std::lock_guard lock(mutex_);
    if (handed_over_.size() < idle_) {
        handed_over_.push_back(std::move(task));
        changed_.notify_all();
        return done;
    }
    std::thread([this, task = std::move(task)]() mutable { serve(std::move(task)); }).detach();
    ++threads_;
    return done;
}

void Threads::serve(Task task) {
    std::optional<Task> current(std::move(task));
    while (current) {
        (*current)();
        current.reset();
        current = next();
    }
}

/// Nothing: this thread ends.
std::optional<Threads::Task> Threads::next() {
    std::unique_lock lock(mutex_);
    if (idle_ < most_idle) {
        ++idle_;
        changed_.wait(lock, [this] { return ending_ || !handed_over_.empty(); });
        --idle_;
    }
    if (handed_over_.empty()) {
        --threads_;
        std::notify_all_at_thread_exit(changed_, std::move(lock));  // after its last touch of what is here
        return std::nullopt;
    }
    Task task = std::move(handed_over_.front());
    handed_over_.pop_front();
    return task;
}

}  // namespace fermata
