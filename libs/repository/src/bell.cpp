#include "ring.hpp"

#include <fermata/base/error.hpp>
#include <fermata/repository/bell.hpp>

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <tuple>

namespace fermata {
namespace {

std::string_view channel_of(Bell::About about) {
    if (about == Bell::About::requests) return request_channel;
    return about == Bell::About::work ? work_channel : end_channel;
}

}  // namespace

Bell::Bell(Repository& repository, About about)
    : repository_(repository),
      about_(about),
      woken_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      is_deaf_(!repository.database().dialect().concurrent_writers) {
    if (!woken_) throw IoError(std::string("cannot make an eventfd: ") + std::strerror(errno));
}

Bell::~Bell() = default;

void Bell::listen() noexcept {
    if (notices_ != nullptr || is_deaf_) return;
    try {
        connection_ = repository_.database().connect(sql::OpenMode::read_only);
        sql::Notices* notices = sql::notices_of(*connection_);
        is_deaf_ = notices == nullptr;
        if (!is_deaf_) notices->listen(channel_of(about_));
        notices_ = notices;
    } catch (const std::exception&) {
        // Whoever waits asks without a hint, and hears then what is wrong.
    }
    if (notices_ == nullptr) connection_.reset();
}

void Bell::close() noexcept {
    notices_ = nullptr;
    connection_.reset();
}

bool Bell::wait(std::chrono::milliseconds bound) {
    const bool rang = notices_ != nullptr ? heard_within(bound) : slept(bound);
    std::uint64_t times = 0;
    std::ignore = ::read(woken_.fd(), &times, sizeof times);
    return rang;
}

std::optional<Offer> Bell::offer() const {
    if (notices_ == nullptr || notices_->words().size() != 1) return std::nullopt;
    return offer_in(notices_->words().front());
}

bool Bell::heard_within(std::chrono::milliseconds bound) {
    try {
        return notices_->wait(bound, woken_.fd());
    } catch (const sql::SqlError&) {
        close();
        return false;
    }
}

bool Bell::slept(std::chrono::milliseconds bound) {
    pollfd waiting{woken_.fd(), POLLIN, 0};
    ::poll(&waiting, 1, static_cast<int>(bound.count()));
    return false;
}

void Bell::wake() noexcept {
    constexpr std::uint64_t once = 1;
    std::ignore = ::write(woken_.fd(), &once, sizeof once);
}

}  // namespace fermata
