#include "ringing.hpp"

#include <fmt/format.h>

#include "output.hpp"

namespace fermata::cli {

namespace {

constexpr std::chrono::seconds farewell(1);

}  // namespace

Ringing::~Ringing() {
    if (sent(farewell) || is_listening_) return;  // who listens has told
    const std::string why = trouble();
    Output::note(fmt::format("fermata: workers were not rung for ({}); they find the work by looking",
                             why.empty() ? "no answer within a second" : why));
}

Doorbell* Ringing::opened() noexcept {
    const std::lock_guard lock(mutex_);
    if (doorbell_ || !why_not_.empty()) return doorbell_.get();
    try {
        doorbell_ = open_();
    } catch (const std::exception& error) {
        why_not_ = error.what();
    }
    return doorbell_.get();
}

void Ringing::ring(JobExecutionId execution, std::int64_t workers) noexcept {
    if (Doorbell* doorbell = opened()) doorbell->ring(execution, workers);
}

Doorbell* Ringing::found() const noexcept {
    const std::lock_guard lock(mutex_);
    return doorbell_.get();
}

bool Ringing::sent(std::chrono::milliseconds bound) noexcept {
    if (Doorbell* doorbell = found()) return doorbell->sent(bound);
    return why_not_.empty();
}

void Ringing::listen() {
    const std::lock_guard lock(mutex_);
    if (!doorbell_) doorbell_ = open_();
    doorbell_->listen();
    is_listening_ = true;
}

std::string Ringing::trouble() const {
    const Doorbell* doorbell = found();
    return doorbell != nullptr ? doorbell->trouble() : why_not_;
}

Doorbell::Counts Ringing::counts() const noexcept {
    const Doorbell* doorbell = found();
    return doorbell != nullptr ? doorbell->counts() : Counts{};
}

}  // namespace fermata::cli
