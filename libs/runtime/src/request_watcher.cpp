#include "request_watcher.hpp"

#include "failure.hpp"

#include <algorithm>
#include <chrono>

namespace fermata {
namespace {
constexpr auto poll_interval = std::chrono::milliseconds(100);
}

RequestWatcher::RequestWatcher(Repository& repository)
    : repository_(repository), thread_([this](std::stop_token done) { run(done); }) {}

void RequestWatcher::add(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    scopes_.push_back(&scope);
    wake_.notify_all();
}

void RequestWatcher::remove(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    std::erase(scopes_, &scope);
}

void RequestWatcher::run(std::stop_token done) {
    std::unique_lock lock(mutex_);
    while (!done.stop_requested()) {
        wake_.wait(lock, done, [this] { return !scopes_.empty(); });
        wake_.wait_for(lock, done, poll_interval, [] { return false; });
        for (const JobScope* scope : scopes_) look(*scope);  // under the lock, so that remove() waits for it
    }
}

void RequestWatcher::look(const JobScope& scope) {
    try {
        scope.heed(repository_.poll(scope.claim));
    } catch (const std::exception& error) {
        // A repository out of reach for a moment is the owner's business at its next commit; another owner is ours.
        if (is_fenced(error)) scope.stop.request_now(StopReason::fenced);
    }
}

}  // namespace fermata
