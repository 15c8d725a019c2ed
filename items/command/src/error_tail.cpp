#include "error_tail.hpp"

#include <fermata/base/error.hpp>

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <cerrno>

namespace fermata {

int output_of(const StepContext& step) noexcept {
    return step.log != nullptr && step.log->fd() >= 0 ? step.log->fd() : STDERR_FILENO;
}

ErrorTail::ErrorTail(int sink) : pipe_(make_pipe()), sink_(sink) { ::fcntl(fd(), F_SETFL, O_NONBLOCK); }

void ErrorTail::pump() {
    std::array<char, 16384> buffer{};
    while (pipe_.read) {
        const ssize_t size = ::read(fd(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) continue;
        if (size < 0) return;
        if (size == 0) {
            pipe_.read = File();
            return;
        }
        const std::string_view text(buffer.data(), static_cast<std::size_t>(size));
        remember(text);
        copy(text);
    }
}

void ErrorTail::copy(std::string_view text) const {
    try {
        write_all(sink_, text, "the step's log");
    } catch (const IoError&) {  // a full disk must not fail the command because of its log
    }
}

void ErrorTail::remember(std::string_view text) {
    constexpr std::size_t limit = 1000;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        if (line_.size() < limit) line_.append(text.substr(0, std::min(end, limit)));
        if (end == text.size()) return;
        if (!trim(line_).empty()) last_.swap(line_);
        line_.clear();
        text.remove_prefix(end + 1);
    }
}

std::string_view ErrorTail::last_line() const { return trim(line_).empty() ? trim(last_) : trim(line_); }

}  // namespace fermata
