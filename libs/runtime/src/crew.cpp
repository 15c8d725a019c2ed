#include "crew.hpp"

#include <algorithm>
#include <utility>

namespace fermata {

Crew::~Crew() {
    {
        const std::lock_guard lock(mutex_);
        ending_ = true;
    }
    wake_.notify_all();
}

void Crew::Gang::run() {
    std::unique_lock lock(crew_.mutex_);
    crew_.gangs_.push_back(this);
    while (next_ < work_.count || active_ > 0 || called_) {
        if (std::exchange(called_, false)) {
            lock.unlock();
            work_.attend();
            lock.lock();
        } else if (should_work_here()) {
            crew_.recruit(*this);
            crew_.run_next(*this, lock);
        } else {
            crew_.recruit(*this);
            changed_.wait(lock);
        }
    }
    std::erase(crew_.gangs_, this);
}

void Crew::Gang::call_coordinator() {
    const std::lock_guard lock(crew_.mutex_);
    called_ = true;
    changed_.notify_all();
}

bool Crew::Gang::should_work_here() const {
    if (!has_work()) return false;
    if (!work_.attend) return true;
    const bool somebody_else = crew_.idle_ > 0 || crew_.helpers_.size() < crew_.most_;
    return active_ == 0 && !somebody_else;
}

/// As many helpers as there is work for, if there may be so many.
void Crew::recruit(const Gang& gang) {
    const std::size_t wanted = std::min(gang.work_.count - gang.next_, gang.work_.width - gang.active_);
    while (idle_ < wanted && helpers_.size() < most_) {
        helpers_.emplace_back([this] { help(); });
        ++idle_;  // until it has found its first work
    }
    if (wanted > 0) wake_.notify_all();
}

void Crew::help() {
    std::unique_lock lock(mutex_);
    while (!ending_) {
        Gang* gang = find_work();
        if (gang == nullptr) {
            wake_.wait(lock);
            continue;
        }
        --idle_;
        // Who counted on this helper and has nobody at work must look after itself.
        for (Gang* other : gangs_)
            if (other->active_ == 0) other->changed_.notify_all();
        run_next(*gang, lock);
        ++idle_;
    }
}

Crew::Gang* Crew::find_work() {
    const auto found = std::ranges::find_if(gangs_, [](const Gang* gang) { return gang->has_work(); });
    return found == gangs_.end() ? nullptr : *found;
}

void Crew::run_next(Gang& gang, std::unique_lock<std::mutex>& lock) {
    const std::size_t index = gang.next_++;
    ++gang.active_;
    lock.unlock();
    gang.work_.child(index);
    lock.lock();
    --gang.active_;
    gang.changed_.notify_all();
}

}  // namespace fermata
