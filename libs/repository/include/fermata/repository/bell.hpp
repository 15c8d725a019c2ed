#pragma once
// A hint that something was asked of an execution of this repository, that something waits for a worker, or that an
// execution ended or came to rest, at once and from any process, where the engine can tell (PostgreSQL: LISTEN,
// NOTIFY). Whoever waits here asks all the same now and then: a hint may get lost.
#include <fermata/base/file.hpp>
#include <fermata/repository/repository.hpp>
#include <fermata/sql/notices.hpp>

#include <chrono>
#include <memory>
#include <optional>

namespace fermata {

/// One thread waits; wake() may be called from any.
class Bell {
public:
    enum class About : std::uint8_t { requests, work, ends };
    explicit Bell(Repository& repository, About about = About::requests);
    ~Bell();

    /// Whether wait() would notice a ring. Never where the engine has no such thing, and not while the server is away.
    [[nodiscard]] bool listens() const noexcept { return notices_ != nullptr; }
    /// Opens a connection of its own and listens on it, if it does not yet. If that fails it does not listen.
    void listen() noexcept;
    /// Listens no more. What rings in a session that nobody reads is kept, there and in the server.
    void close() noexcept;
    /// Returns when it rings, after wake(), or after `bound`; true if it rang.
    [[nodiscard]] bool wait(std::chrono::milliseconds bound);
    void wake() noexcept;
    /// What the last wait() heard, if it was one submission and nothing else.
    [[nodiscard]] std::optional<Offer> offer() const;

private:
    [[nodiscard]] bool heard_within(std::chrono::milliseconds bound);
    [[nodiscard]] bool slept(std::chrono::milliseconds bound);

    Repository& repository_;
    About about_;
    File woken_;
    std::unique_ptr<sql::Connection> connection_;
    sql::Notices* notices_ = nullptr;  ///< of the connection
    bool is_deaf_;                     ///< there is nobody who could say anything
};

}  // namespace fermata
