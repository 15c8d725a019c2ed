#include <fermata/base/idle_work.hpp>

#include <utility>

namespace fermata {

namespace {

// Weak: what is gone does nothing more.
thread_local std::weak_ptr<std::function<void()>> offered;

}  // namespace

void IdleWork::offer() const noexcept { offered = work_; }

void IdleWork::withdraw() const noexcept {
    if (offered.lock() == work_) offered.reset();
}

void IdleWork::run() noexcept {
    if (const auto work = std::exchange(offered, {}).lock()) (*work)();
}

}  // namespace fermata
