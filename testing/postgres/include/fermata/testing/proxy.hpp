#pragma once
// A network that breaks where a test wants it: a TCP port in front of a PostgreSQL socket.
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace fermata::testing {

/// What happens, once, to the first connection on which `marker` is sent by the client (empty: that sends anything):
/// from there on `after` bytes of `direction` pass, then, if one more arrives, `act` on it.
struct Fault {
    enum class Direction : std::uint8_t { to_server, to_client };
    enum class Act : std::uint8_t {
        cut,         ///< both sides are closed
        late,        ///< to_server only: the client's side is closed at once; after `delay` the server gets the rest
        delay,       ///< nothing passes for `delay`, then all of it
        black_hole,  ///< nothing passes any more, and nobody is told
    };
    Act act = Act::cut;
    Direction direction = Direction::to_server;
    std::size_t after = 0;
    std::string marker;
    std::chrono::milliseconds delay{0};
};

/// How all connections fare, the present ones and new ones: a new one is accepted whatever the weather.
struct Weather {
    bool to_server = true;  ///< whether anything passes in this direction
    bool to_client = true;
    std::chrono::milliseconds lag{0};  ///< how long all of it is under way
};

class Proxy {
public:
    /// Listens on a free port of 127.0.0.1. Throws std::system_error.
    explicit Proxy(const std::filesystem::path& server_socket);
    Proxy(const Proxy&) = delete;
    Proxy& operator=(const Proxy&) = delete;
    ~Proxy();  ///< closes every connection

    [[nodiscard]] std::uint16_t port() const noexcept;
    [[nodiscard]] std::string url(std::string_view database) const;

    /// From any thread, like all below. Replaces a fault that has not fired; the marker is looked for in what is sent
    /// from now on.
    void arm(Fault fault);
    /// Whether the armed fault has fired.
    [[nodiscard]] bool fired() const;
    /// A fault that has not begun never will.
    void disarm();
    /// What is late or delayed passes now.
    void release();
    /// Whether nothing is late or delayed any more: the server has got it, done it and closed.
    [[nodiscard]] bool settled() const;
    /// From now on. What was held back passes as soon as it may.
    void set(Weather weather);
    /// Closes all present connections, also those in a black hole.
    void cut_all();
    /// While refusing, a new connection is closed at once.
    void refuse(bool refusing);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fermata::testing
