#include <fermata/repository/heartbeat.hpp>

#include "lease.hpp"
#include "rows.hpp"

#include <fmt/format.h>

#include <ctime>

namespace fermata {
namespace {

std::chrono::nanoseconds since_boot() {
    timespec now{};
    ::clock_gettime(CLOCK_BOOTTIME, &now);
    return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

/// No renewal waits for the disk, however slow that is. One that a crash of the server loses was the newest of several
/// within a lease, and the next one comes at once.
std::unique_ptr<sql::Connection> connected(sql::Database& database) {
    auto connection = database.connect(sql::OpenMode::read_write);
    connection->execute("SET synchronous_commit = off");
    return connection;
}

}  // namespace

bool Heartbeat::is_needed(Repository& repository) { return repository.database().dialect().concurrent_writers; }

Heartbeat::Heartbeat(Repository& repository, const Worker& worker, std::function<void()> on_distrust, Terms terms,
                     std::function<void(const std::string&)> on_trouble)
    : repository_(repository),
      worker_(worker.record().id),
      on_distrust_(std::move(on_distrust)),
      on_trouble_(std::move(on_trouble)),
      terms_(terms) {
    renew();
    beating_ = std::thread([this] { beat(); });
    watching_ = std::thread([this] { watch(); });
}

Heartbeat::~Heartbeat() {
    {
        const std::lock_guard lock(mutex_);
        done_ = true;
        changed_.notify_all();
    }
    watching_.join();
    beating_.join();
}

bool Heartbeat::is_trusted() const {
    const std::lock_guard lock(mutex_);
    return !dead_ && since_boot() < trusted_until_;
}

bool Heartbeat::is_dead() const {
    const std::lock_guard lock(mutex_);
    return dead_;
}

/// Only the database's answer is a success.
void Heartbeat::renew() {
    // The name is that of all sessions of this process, so that they can be ended together.
    static const std::string sql = fmt::format(
        "UPDATE worker SET lease = {} + $2, sessions = CASE WHEN current_setting('application_name') LIKE "
        "'fermata ________-____-____-____-____________' THEN current_setting('application_name') END WHERE id = $1 AND "
        "dead = 0",
        database_now);
    const Instant before = since_boot();
    if (!connection_) connection_ = connected(repository_.database());
    const std::int64_t ttl = std::chrono::microseconds(terms_.ttl).count();
    const bool lives = connection_->execute(sql, {Value(worker_), Value(ttl)}).changed == 1;
    const std::lock_guard lock(mutex_);
    dead_ = !lives;
    trusted_until_ = before + terms_.ttl - terms_.margin;
    changed_.notify_all();
}

void Heartbeat::beat() {
    std::unique_lock lock(mutex_);
    bool told = false;
    for (std::chrono::milliseconds pause = terms_.interval; !done_ && !dead_;) {
        changed_.wait_for(lock, pause, [this] { return done_; });
        if (done_) return;
        lock.unlock();
        try {
            renew();
            pause = terms_.interval;
            told = false;
        } catch (const Error& error) {
            if (!told && on_trouble_) on_trouble_(error.what());
            told = true;
            connection_.reset();  // tried again soon; watch() tells when it is too late
            pause = terms_.interval / 3;
        }
        lock.lock();
    }
}

void Heartbeat::watch() {
    std::unique_lock lock(mutex_);
    for (bool told = false; !done_;) {
        const Instant left = trusted_until_ - since_boot();
        const bool trusted = !dead_ && left.count() > 0;
        if (!trusted && !told) {
            lock.unlock();
            on_distrust_();
            lock.lock();
        }
        told = !trusted;
        // A host that slept wakes up after its lease: its timers do not count the sleep.
        constexpr Instant longest = std::chrono::seconds(1);
        changed_.wait_for(lock, trusted ? std::min(left, longest) : longest);
    }
}

}  // namespace fermata
