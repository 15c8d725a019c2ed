#include "interrupts.hpp"

#include <fmt/format.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <fermata/base/error.hpp>

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>

namespace fermata::cli {

namespace {

sigset_t wanted_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        struct sigaction action{};
        ::sigaction(signal, nullptr, &action);
        if (action.sa_handler != SIG_IGN) sigaddset(&set, signal);
    }
    return set;
}

}  // namespace

Interrupts::Interrupts(std::function<void(int)> on_signal) : on_signal_(std::move(on_signal)) {
    const sigset_t set = wanted_signals();
    ::pthread_sigmask(SIG_BLOCK, &set, &before_);
    signals_ = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    done_ = ::eventfd(0, EFD_CLOEXEC);
    if (signals_ < 0 || done_ < 0)
        throw Error(ErrorKind::failed, fmt::format("cannot watch for signals: {}", std::strerror(errno)));
    thread_ = std::thread([this] { serve(); });
}

Interrupts::~Interrupts() {
    const std::uint64_t one = 1;
    while (::write(done_, &one, sizeof one) < 0 && errno == EINTR) {
    }
    thread_.join();
    ::close(signals_);
    ::close(done_);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
}

void Interrupts::serve() {
    int count = 0;
    for (;;) {
        std::array<pollfd, 2> ready{pollfd{signals_, POLLIN, 0}, pollfd{done_, POLLIN, 0}};
        if (::poll(ready.data(), ready.size(), -1) < 0) continue;
        if (ready[1].revents != 0) return;
        signalfd_siginfo info{};
        while (::read(signals_, &info, sizeof info) == sizeof info) on_signal_(++count);
    }
}

bool Patience::wait(Duration duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return interrupted_; });
}

}  // namespace fermata::cli
