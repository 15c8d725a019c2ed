#include "listening.hpp"

#include <chrono>

namespace fermata {
namespace {

constexpr std::chrono::seconds patience(1);

}  // namespace

Listening::Listening(Doorbell& doorbell, std::function<void()> heard) : doorbell_(doorbell), heard_(std::move(heard)) {
    doorbell_.listen();
    thread_ = std::jthread([this](const std::stop_token& done) { run(done); });
}

void Listening::run(const std::stop_token& done) {
    const std::stop_callback wake(done, [this] { doorbell_.wake(); });
    while (!done.stop_requested()) {
        if (doorbell_.heard(patience).empty()) continue;
        if (pass_on(done)) doorbell_.answered();
    }
    doorbell_.leave();
}

bool Listening::pass_on(const std::stop_token& done) {
    std::unique_lock lock(mutex_);
    has_heard_ = true;
    heard_();
    return answered_.wait(lock, done, [this] { return !has_heard_; });
}

bool Listening::has_heard() {
    const std::lock_guard lock(mutex_);
    return has_heard_;
}

void Listening::answered() {
    const std::lock_guard lock(mutex_);
    has_heard_ = false;
    answered_.notify_all();
}

}  // namespace fermata
