#include <fermata/testing/proxy.hpp>

#include "proxy_link.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <list>
#include <mutex>
#include <stdexcept>
#include <system_error>
#include <thread>

namespace fermata::testing {
namespace {

int checked(int answer, const char* what) {
    if (answer < 0) throw std::system_error(errno, std::generic_category(), what);
    return answer;
}

Fd listen_on_free_port() {
    Fd fd(checked(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), "socket"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    checked(::bind(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), "bind");
    checked(::listen(fd.get(), SOMAXCONN), "listen");
    return fd;
}

std::uint16_t port_of(const Fd& fd) {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    checked(::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &size), "getsockname");
    return ntohs(address.sin_port);
}

Fd connect_to(const std::filesystem::path& path) {
    Fd fd(checked(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strncpy(address.sun_path, path.c_str(), sizeof address.sun_path - 1);
    checked(::connect(fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), path.c_str());
    checked(::fcntl(fd.get(), F_SETFL, O_NONBLOCK), "fcntl");
    return fd;
}

}  // namespace

class Proxy::Impl {
public:
    explicit Impl(std::filesystem::path server)
        : server_(std::move(server)),
          listener_(listen_on_free_port()),
          port(port_of(listener_)),
          wake_(checked(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), "eventfd")),
          thread_([this] { run(); }) {}
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;
    ~Impl() {
        change([this] { ending_ = true; });
        thread_.join();
    }

    /// Runs `action` between two rounds of the thread.
    template <class Action>
    void change(Action action) {
        const std::scoped_lock lock(mutex_);
        action();
        const std::uint64_t one = 1;
        if (::write(wake_.get(), &one, sizeof one) < 0 && errno != EAGAIN) std::terminate();
    }

private:
    void run() {
        std::unique_lock lock(mutex_);
        while (!ending_) {
            std::vector<pollfd> polled = waited_for();
            const int timeout = milliseconds_to_wait();
            lock.unlock();
            ::poll(polled.data(), polled.size(), timeout);
            lock.lock();
            drain_wake();
            accept_new();
            const auto now = std::chrono::steady_clock::now();
            for (Link& link : links) link.step(now);
            links.remove_if([](const Link& link) { return link.is_over(); });
        }
    }
    std::vector<pollfd> waited_for() const {
        std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}, {listener_.get(), POLLIN, 0}};
        for (const Link& link : links) link.add_to(polled);
        return polled;
    }
    int milliseconds_to_wait() const {
        using std::chrono::milliseconds;
        int least = -1;
        for (const Link& link : links) {
            const auto at = link.wakes_at();
            if (!at) continue;
            const auto now = std::chrono::steady_clock::now();
            const auto left = std::chrono::ceil<milliseconds>(std::max(*at, now) - now);
            const int wait = static_cast<int>(left.count());
            least = least < 0 ? wait : std::min(least, wait);
        }
        return least;
    }
    void drain_wake() const {
        std::uint64_t count = 0;
        (void)!::read(wake_.get(), &count, sizeof count);
    }
    void accept_new() {
        for (int fd = 0; (fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0;) {
            Fd client(fd);
            if (refusing) continue;
            const int on = 1;
            ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
            try {
                links.emplace_back(std::move(client), connect_to(server_), armed, weather);
            } catch (const std::system_error&) {
                continue;  // the server is not there: the client sees its connection closed
            }
        }
    }

    std::mutex mutex_;
    std::filesystem::path server_;
    Fd listener_;

public:
    const std::uint16_t port;
    ArmedFault armed;
    Weather weather;
    std::list<Link> links;
    bool refusing = false;

private:
    bool ending_ = false;
    Fd wake_;
    std::thread thread_;
};

Proxy::Proxy(const std::filesystem::path& server_socket) : impl_(std::make_unique<Impl>(server_socket)) {}

Proxy::~Proxy() = default;

std::uint16_t Proxy::port() const noexcept { return impl_->port; }

std::string Proxy::url(std::string_view database) const {
    return "postgresql://fermata@127.0.0.1:" + std::to_string(port()) + "/" + std::string(database);
}

void Proxy::arm(Fault fault) {
    if (fault.act == Fault::Act::late && fault.direction != Fault::Direction::to_server)
        throw std::invalid_argument("only what goes to the server can arrive late");
    impl_->change([&] {
        impl_->armed.waiting = std::move(fault);
        impl_->armed.fired = false;
        ++impl_->armed.number;
    });
}

bool Proxy::fired() const {
    bool fired = false;
    impl_->change([&] { fired = impl_->armed.fired; });
    return fired;
}

void Proxy::disarm() {
    impl_->change([&] { impl_->armed.waiting.reset(); });
}

void Proxy::release() {
    impl_->change([&] {
        for (Link& link : impl_->links) link.release();
    });
}

bool Proxy::settled() const {
    bool settled = true;
    impl_->change([&] {
        for (const Link& link : impl_->links) settled = settled && link.is_settled();
    });
    return settled;
}

void Proxy::cut_all() {
    impl_->change([&] { impl_->links.clear(); });
}

void Proxy::set(Weather weather) {
    impl_->change([&] { impl_->weather = weather; });
}

void Proxy::refuse(bool refusing) {
    impl_->change([&] { impl_->refusing = refusing; });
}

}  // namespace fermata::testing
