#include "turnstile.hpp"

#include "errors.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <thread>

namespace fermata::sqlite {

using sql::SqlError;

namespace {

constexpr std::int64_t gate = 0;  // byte A
constexpr std::int64_t turn = 1;  // byte B
constexpr std::int64_t holder_offset = 2;
constexpr int holder_width = 12;

}  // namespace

/// Polls instead of F_OFD_SETLKW: a blocked fcntl can be ended by nothing but a signal, and a library has none to
/// spare. The next in turn is one process only and may look often; those behind it look less often, all at the same
/// pace, so that none of them is preferred.
class Turnstile::Wait {
public:
    Wait(Turnstile& turnstile, std::chrono::milliseconds bound) : turnstile_(turnstile), bound_(bound) {}

    void lock(std::int64_t byte, std::chrono::microseconds pace) {
        while (!try_lock(turnstile_.file_.fd(), byte)) {
            check();
            std::this_thread::sleep_for(pace);
        }
    }

private:
    void check() {
        const auto waited = std::chrono::steady_clock::now() - start_;
        if (turnstile_.interrupted_.load(std::memory_order_relaxed))
            throw SqlError(SqlError::Kind::other,
                           turnstile_.database_.string() + ": interrupted while waiting to write");
        if (waited >= bound_) throw busy(waited);
        if (waited >= turnstile_.settings_.notice_after && !noticed_) {
            noticed_ = true;
            turnstile_.settings_.notice(fmt::format("{}: waiting to write: {} holds {}", turnstile_.database_.string(),
                                                    turnstile_.holder(), turnstile_.path_.filename().string()));
        }
    }
    [[nodiscard]] SqlError busy(std::chrono::steady_clock::duration waited) const {
        return {SqlError::Kind::busy,
                fmt::format("{}: {} has been writing for longer than {:.1f} s", turnstile_.database_.string(),
                            turnstile_.holder(), std::chrono::duration<double>(waited).count()),
                "let it finish, or end it"};
    }

    Turnstile& turnstile_;
    std::chrono::milliseconds bound_;
    std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
    bool noticed_ = false;
};

Turnstile::Turnstile(std::filesystem::path database, const Settings& settings, bool is_private)
    : database_(std::move(database)),
      path_(database_.string() + "-fermata.lock"),
      settings_(settings),
      new_mode_(is_private ? 0600 : 0666) {}

void Turnstile::open() {
    struct stat database{};
    const bool exists = ::stat(database_.c_str(), &database) == 0;
    const mode_t mode = exists ? database.st_mode & 0666 : new_mode_;
    File file(::open(path_.c_str(), O_RDWR | O_CLOEXEC | O_NOFOLLOW));
    // Left by a database that was removed: the new one takes its mode.
    if (file && !exists && new_mode_ == 0600) {
        [[maybe_unused]] const int mode_set = ::fchmod(file.fd(), new_mode_);
    }
    if (!file && errno == ENOENT) {
        file = File(::open(path_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, mode));
        // Who may write the database may wait here, whatever the umask and whoever came first. Best effort.
        if (file && exists) {
            [[maybe_unused]] const int mode_set = ::fchmod(file.fd(), mode);
            [[maybe_unused]] const int owner_set = ::fchown(file.fd(), database.st_uid, database.st_gid);
        }
    }
    if (!file)
        throw_system_error(errno, fmt::format("{}: cannot write: {}", database_.string(), path_.string()),
                           "the folder of the database must be writable by everybody who writes the database");
    file_ = std::move(file);
}

void Turnstile::acquire(std::chrono::milliseconds bound) {
    if (!file_) open();
    interrupted_.store(false, std::memory_order_relaxed);
    Wait wait(*this, bound);
    wait.lock(gate, std::chrono::microseconds(200));
    try {
        wait.lock(turn, std::chrono::microseconds(50));
    } catch (...) {
        unlock(file_.fd(), gate);
        throw;
    }
    held_ = true;
    unlock(file_.fd(), gate);
    write_holder();
}

void Turnstile::release() noexcept {
    held_ = false;
    unlock(file_.fd(), turn);
}

/// Writes only after somebody else has: a changed file would add work to every fsync of the database.
void Turnstile::write_holder() const noexcept {
    std::array<char, holder_width + 1> mine{};
    std::array<char, holder_width + 1> present{};
    std::snprintf(mine.data(), mine.size(), "%*ld\n", holder_width - 1, static_cast<long>(::getpid()));
    // Only words for a waiting human depend on either call.
    [[maybe_unused]] const auto read = ::pread(file_.fd(), present.data(), holder_width, holder_offset);
    if (present == mine) return;
    [[maybe_unused]] const auto written = ::pwrite(file_.fd(), mine.data(), holder_width, holder_offset);
}

std::string Turnstile::holder() const {
    std::array<char, holder_width> text{};
    const auto length = ::pread(file_.fd(), text.data(), text.size(), holder_offset);
    const auto pid =
        length <= 0 ? std::nullopt : parse_int64(trim(std::string_view(text.data(), static_cast<std::size_t>(length))));
    if (!pid) return "another process";
    if (*pid == ::getpid()) return fmt::format("another connection of this process (pid {})", *pid);
    return fmt::format("process {}", *pid);
}

}  // namespace fermata::sqlite
