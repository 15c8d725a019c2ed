#include "outage.hpp"

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

}  // namespace fermata::postgres
