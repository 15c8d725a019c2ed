#include "wake.hpp"

#include <fermata/base/error.hpp>

#include <sys/eventfd.h>

#include <algorithm>
#include <cstdint>

namespace fermata {

Wake::Wake() : event_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    if (!event_) throw IoError("cannot make an eventfd for a command: too many open files");
}

void Wake::notify() noexcept { (void)!::eventfd_write(event_.fd(), 1); }

void Wake::clear() noexcept {
    eventfd_t count = 0;
    (void)!::eventfd_read(event_.fd(), &count);
}

int poll_timeout(std::optional<SteadyTime> deadline) {
    using std::chrono::milliseconds;
    constexpr std::int64_t longest = milliseconds(std::chrono::hours{1}).count();
    if (!deadline) return -1;
    const auto left = std::chrono::ceil<milliseconds>(*deadline - std::chrono::steady_clock::now()).count();
    return static_cast<int>(std::clamp<std::int64_t>(left, 0, longest));
}

}  // namespace fermata
