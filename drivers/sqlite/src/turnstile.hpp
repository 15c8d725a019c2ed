#pragma once
// One writer at a time at a database file, in turn: two OFD byte locks in <database>-fermata.lock. A newcomer takes
// byte A, waits there for byte B, then gives A back; so a writer that comes straight back finds A taken by whoever
// waited meanwhile. The kernel frees both when a process dies. Whoever holds B writes its pid into the file.
#include <fermata/base/file.hpp>
#include <fermata/drivers/sqlite.hpp>

#include <sys/types.h>

#include <atomic>
#include <chrono>
#include <filesystem>
#include <string>

namespace fermata::sqlite {

class Turnstile {
public:
    /// `database` is the file's canonical path; `settings` must outlive this. Touches nothing yet.
    /// `is_private`: a database that is not there yet is to be its owner's only; the lock file has the mode it will
    /// get.
    Turnstile(std::filesystem::path database, const Settings& settings, bool is_private);

    /// Waits for its turn and holds it. The first call creates the lock file, with the database's owner and mode.
    /// Throws SqlError: busy naming the holder after `bound`, read_only or unreachable if there can be no lock file.
    void acquire(std::chrono::milliseconds bound);
    void release() noexcept;
    [[nodiscard]] bool held() const noexcept { return held_; }
    /// Any thread: a running acquire() throws SqlError(other) soon.
    void interrupt() noexcept { interrupted_.store(true); }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

private:
    class Wait;
    void open();
    void write_holder() const noexcept;
    [[nodiscard]] std::string holder() const;

    std::filesystem::path database_;
    std::filesystem::path path_;
    const Settings& settings_;
    mode_t new_mode_;
    File file_;
    bool held_ = false;
    std::atomic<bool> interrupted_{false};
};

/// Holds the turnstile unless the caller's transaction already does.
class Turn {
public:
    Turn(Turnstile& turnstile, std::chrono::milliseconds bound) : turnstile_(turnstile.held() ? nullptr : &turnstile) {
        if (turnstile_ != nullptr) turnstile_->acquire(bound);
    }
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    ~Turn() {
        if (turnstile_ != nullptr) turnstile_->release();
    }

private:
    Turnstile* turnstile_;
};

}  // namespace fermata::sqlite
