#include "outage.hpp"

#include <fermata/base/error.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::postgres {

bool Outage::goes_on() {
    constexpr std::chrono::minutes forgotten(1);  // nobody has asked since: that was another outage
    const Instant now = std::chrono::steady_clock::now();
    const std::lock_guard lock(mutex_);
    if (!began_ || now - last_ > std::max<std::chrono::milliseconds>(forgotten, bound_)) began_ = now;
    last_ = now;
    return now - *began_ < bound_;
}

void Outage::ended() {
    const std::lock_guard lock(mutex_);
    began_.reset();
}

std::optional<History> Outage::known() {
    const std::lock_guard lock(mutex_);
    return known_;
}

void Outage::require_same(const History& found, const std::optional<History>& before, const std::string& database) {
    const std::lock_guard lock(mutex_);
    if (!known_) known_ = found;
    const bool is_same = found.timeline == known_->timeline;
    if (!is_same || (before && found.flushed < before->flushed))
        throw Error(ErrorKind::stale,
                    fmt::format("{}: the server went back in time, or another one took its place ({}): what was "
                                "committed last may be missing there",
                                database,
                                is_same ? fmt::format("its log ends at {}, before {}", found.flushed, before->flushed)
                                        : fmt::format("timeline {}, before {}", found.timeline, known_->timeline)),
                    "start it again, or fermata recover: a new process goes on from what is there");
    known_->flushed = std::max(known_->flushed, found.flushed);
}

}  // namespace fermata::postgres
