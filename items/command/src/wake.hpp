#pragma once
// What a poll() on a command also waits for: a request from another thread, a deadline.
#include <fermata/base/file.hpp>

#include <chrono>
#include <optional>

namespace fermata {

/// Wakes a poll() from any thread.
class Wake {
public:
    Wake();  ///< Throws IoError if there are too many open files.
    [[nodiscard]] int fd() const noexcept { return event_.fd(); }
    void notify() noexcept;
    void clear() noexcept;

private:
    File event_;
};

using SteadyTime = std::chrono::steady_clock::time_point;
/// The timeout argument of poll(): -1 without a deadline, 0 once it has passed; long ones in steps.
[[nodiscard]] int poll_timeout(std::optional<SteadyTime> deadline);

}  // namespace fermata
