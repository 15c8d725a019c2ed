#include "request_watcher.hpp"

#include "failure.hpp"

#include <algorithm>
#include <chrono>

namespace fermata {
namespace {
constexpr auto poll_interval = std::chrono::milliseconds(100);
constexpr auto poll_interval_with_bell = std::chrono::seconds(1);
/// How long a bell is kept for the next execution.
constexpr auto rest_interval = std::chrono::seconds(1);
}  // namespace

RequestWatcher::RequestWatcher(Repository& repository, Chime& chime)
    : chime_(chime), bell_(repository), thread_([this](std::stop_token done) { run(done); }) {}

void RequestWatcher::add(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    watched_.push_back({&scope, std::chrono::steady_clock::now()});
    is_new_ = true;
    wake_.notify_all();
}

void RequestWatcher::remove(const JobScope& scope) {
    const std::lock_guard lock(mutex_);
    std::erase_if(watched_, [&](const Watched& each) { return each.scope == &scope; });
}

void RequestWatcher::run(std::stop_token done) {
    const std::stop_callback ending(done, [this] { bell_.wake(); });
    std::unique_lock lock(mutex_);
    while (await_any(lock, done)) {
        lock.unlock();
        const bool could_hear = bell_.listens();
        const bool rang = bell_.wait(poll_interval);
        if (!done.stop_requested()) listen_if_any_lasts();
        lock.lock();
        if (must_look(could_hear, rang)) look_at_all();
    }
}

/// False once `done`. A server keeps what it tells until it is read, so nobody listens who does not read.
bool RequestWatcher::await_any(std::unique_lock<std::mutex>& lock, const std::stop_token& done) {
    const auto any = [this] { return !watched_.empty(); };
    if (!wake_.wait_for(lock, done, rest_interval, any)) {
        lock.unlock();
        bell_.close();
        lock.lock();
        wake_.wait(lock, done, any);
    }
    return !done.stop_requested();
}

/// Most executions are over before; and each session that listens is woken by every ring.
void RequestWatcher::listen_if_any_lasts() {
    {
        const std::lock_guard lock(mutex_);
        const bool lasts =
            !watched_.empty() && std::chrono::steady_clock::now() - watched_.front().since >= poll_interval;
        if (!lasts) return;
    }
    bell_.listen();
}

/// What was asked before we listened, or before an execution was added, has rung in vain.
bool RequestWatcher::must_look(bool could_hear, bool rang) const {
    return rang || !could_hear || is_new_ || std::chrono::steady_clock::now() - looked_ >= poll_interval_with_bell;
}

/// Under the lock, so that remove() waits for it.
void RequestWatcher::look_at_all() {
    is_new_ = false;
    looked_ = std::chrono::steady_clock::now();
    for (const Watched& each : watched_) look(*each.scope);
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
