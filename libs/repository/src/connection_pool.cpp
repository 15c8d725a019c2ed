#include "connection_pool.hpp"

namespace fermata {
namespace {

// A burst of verbs needs many for a moment; a server's connections are scarce.
constexpr std::size_t kept_open = 4;

}  // namespace

ConnectionPool::Lease ConnectionPool::lend(Lane* lane) {
    std::unique_lock lock(mutex_);
    if (!several_) {
        if (lent_ > 0 && borrower_ == std::this_thread::get_id())
            throw Error(ErrorKind::failed, "a verb of the store was called inside of a transaction of the same thread",
                        "commit or roll back first");
        given_back_.wait(lock, [this] { return lent_ == 0; });
        borrower_ = std::this_thread::get_id();
    }
    if (!several_) lane = nullptr;
    if (mode_ == sql::OpenMode::read_only && lent_ > 0)
        given_back_.wait_for(lock, reading_, [this] { return !free_.empty() || lent_ == 0; });
    ++lent_;
    if (lane != nullptr && lane->kept_) return {*this, std::move(lane->kept_), lane};
    if (!free_.empty()) {
        std::unique_ptr<sql::Connection> connection = std::move(free_.back());
        free_.pop_back();
        return {*this, std::move(connection), lane};
    }
    lock.unlock();
    try {
        std::unique_ptr<sql::Connection> connection = database_.connect(mode_);
        connection->close_lightly();
        return {*this, std::move(connection), lane};
    } catch (...) {
        take_back(nullptr, nullptr);
        throw;
    }
}

std::optional<ConnectionPool::Lease> ConnectionPool::lend_idle() {
    std::unique_lock lock(mutex_);
    if (is_read_ && borrower_ != std::this_thread::get_id()) given_back_.wait(lock, [this] { return !is_read_; });
    if (several_ || lent_ > 0 || free_.empty()) return std::nullopt;
    ++lent_;
    is_read_ = true;
    borrower_ = std::this_thread::get_id();
    std::unique_ptr<sql::Connection> connection = std::move(free_.back());
    free_.pop_back();
    return Lease{*this, std::move(connection), nullptr};
}

void ConnectionPool::take_back(std::unique_ptr<sql::Connection> connection, Lane* lane) noexcept {
    {
        const std::lock_guard lock(mutex_);
        --lent_;
        is_read_ = false;
        if (lane != nullptr)
            lane->kept_ = std::move(connection);
        else
            keep_or_close(std::move(connection));
    }
    given_back_.notify_all();
}

void ConnectionPool::give_up(std::unique_ptr<sql::Connection> connection) noexcept {
    const std::lock_guard lock(mutex_);
    keep_or_close(std::move(connection));
}

void ConnectionPool::keep_or_close(std::unique_ptr<sql::Connection> connection) noexcept {
    if (connection && free_.size() < kept_open)
        free_.push_back(std::move(connection));
    else if (connection)
        closed_count_ += connection->statement_count();
}

/// What a lane keeps counts when it is given up.
std::int64_t ConnectionPool::statement_count() {
    std::unique_lock lock(mutex_);
    given_back_.wait(lock, [this] { return lent_ == 0; });
    std::int64_t count = closed_count_;
    for (const auto& connection : free_) count += connection->statement_count();
    return count;
}

}  // namespace fermata
