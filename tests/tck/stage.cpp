#include "stage.hpp"

#include <memory>
#include <stdexcept>

namespace fermata::tck {
namespace {

constexpr std::chrono::seconds deadline{60};

std::unique_ptr<Stage>& current() {
    static auto the_stage = std::make_unique<Stage>();
    return the_stage;
}

}  // namespace

Stage& stage() { return *current(); }
void reset_stage() { current() = std::make_unique<Stage>(); }

void Gate::wait(auto&& condition, const char* what) {
    std::unique_lock lock(mutex_);
    if (!changed_.wait_for(lock, deadline, condition)) throw std::runtime_error(std::string("waited in vain: ") + what);
}

void Gate::arrive() {
    const std::lock_guard lock(mutex_);
    ++arrivals_;
    changed_.notify_all();
}

void Gate::open() {
    const std::lock_guard lock(mutex_);
    is_open_ = true;
    changed_.notify_all();
}

void Gate::wait_for_arrivals(int count) {
    wait([&] { return arrivals_ >= count; }, "for arrivals at the gate");
}

void Gate::wait_until_open() {
    wait([&] { return is_open_; }, "for the gate to open");
}

}  // namespace fermata::tck
