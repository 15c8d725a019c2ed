#include "step_stop.hpp"

namespace fermata {

StepStops::Running::Running(StepStops& stops, Repository& repository, const StepClaim& step, StepStop& stop)
    : stops_(stops), step_(step.step) {
    const std::lock_guard lock(stops_.mutex_);
    stops_.running_.emplace(step_, &stop);
    // It may have been asked of the owner before, or between the entry and this.
    if (stops_.known_ > 0) stops_.look(repository, step.execution);
}

StepStops::Running::~Running() {
    const std::lock_guard lock(stops_.mutex_);
    stops_.running_.erase(step_);
}

void StepStops::learn(Repository& repository, const Claim& claim, std::int64_t requests) noexcept {
    if (requests <= known_.load(std::memory_order_relaxed)) return;
    const std::lock_guard lock(mutex_);
    if (requests <= known_) return;
    known_ = requests;
    look(repository, claim);
}

void StepStops::look(Repository& repository, const Claim& claim) noexcept {
    try {
        for (const StepCut& asked : repository.step_stops_asked(claim))
            if (const auto found = running_.find(asked.step); found != running_.end()) found->second->cut(asked.now);
    } catch (const std::exception&) {
        known_ = 0;
    }
}

}  // namespace fermata
