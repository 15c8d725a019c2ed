#include "request_watcher.hpp"

#include "failure.hpp"

#include <algorithm>
#include <chrono>

namespace fermata {
namespace {
constexpr auto poll_interval = std::chrono::milliseconds(100);
constexpr auto poll_interval_with_bell = std::chrono::seconds(1);
}  // namespace

RequestWatcher::RequestWatcher(Repository& repository, Chime& chime)
    : chime_(chime), bell_(repository), thread_([this](std::stop_token done) { run(done); }) {}

void RequestWatcher::add(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    scopes_.push_back(&scope);
    is_new_ = true;
    wake_.notify_all();
}

void RequestWatcher::remove(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    std::erase(scopes_, &scope);
}

void RequestWatcher::run(std::stop_token done) {
    const std::stop_callback ending(done, [this] { bell_.wake(); });
    std::unique_lock lock(mutex_);
    while (!done.stop_requested()) {
        wake_.wait(lock, done, [this] { return !scopes_.empty(); });
        lock.unlock();
        const bool could_hear = bell_.listens();
        const bool rang = bell_.wait(poll_interval);
        if (!done.stop_requested()) bell_.listen();  // only now: most executions are over before
        lock.lock();
        if (must_look(could_hear, rang)) look_at_all();
    }
}

/// What was asked before we listened, or before an execution was added, has rung in vain.
bool RequestWatcher::must_look(bool could_hear, bool rang) const {
    return rang || !could_hear || is_new_ || std::chrono::steady_clock::now() - looked_ >= poll_interval_with_bell;
}

/// Under the lock, so that remove() waits for it.
void RequestWatcher::look_at_all() {
    is_new_ = false;
    looked_ = std::chrono::steady_clock::now();
    for (const JobScope* scope : scopes_) look(*scope);
    chime_.ring();
}

void RequestWatcher::look(const JobScope& scope) {
    try {
        scope.heed(scope.poll());
    } catch (const std::exception& error) {
        // A repository out of reach for a moment is the owner's business at its next commit; another owner is ours.
        if (is_fenced(error)) scope.stop.request_now(StopReason::fenced);
    }
}

}  // namespace fermata
