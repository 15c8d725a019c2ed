#include "log_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace fermata::cli {

namespace {

/// Where the last `lines` lines of a text begin.
std::size_t tail_of(std::string_view text, std::int64_t lines) {
    std::size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
    for (; lines > 0; --lines) {
        const auto feed = end == 0 ? std::string_view::npos : text.rfind('\n', end - 1);
        if (feed == std::string_view::npos) return 0;
        end = feed;
    }
    return std::min(end + 1, text.size());
}

void take_lines(std::string& pending, const LogFile::Take& take) {
    std::size_t from = 0;
    for (auto feed = pending.find('\n'); feed != std::string::npos; feed = pending.find('\n', from)) {
        take(std::string_view(pending).substr(from, feed - from));
        from = feed + 1;
    }
    pending.erase(0, from);
}

}  // namespace

void LogFile::take_new(const Take& take) {
    std::error_code error;
    if (!file_ && std::filesystem::exists(path_, error)) file_ = File::open(path_, O_RDONLY);
    if (!file_) return;
    std::array<char, 65536> buffer;
    for (ssize_t got = 0; (got = ::read(file_.fd(), buffer.data(), buffer.size())) > 0;) {
        pending_.append(buffer.data(), static_cast<std::size_t>(got));
        take_lines(pending_, take);
    }
}

void LogFile::take_rest(const Take& take) {
    if (!pending_.empty()) take(pending_);
    pending_.clear();
}

void LogFile::skip_to_tail(std::int64_t lines) {
    if (!std::filesystem::exists(path_)) return;
    const std::string all = read_file(path_, 1ULL << 40);
    file_ = File::open(path_, O_RDONLY);
    ::lseek(file_.fd(), static_cast<off_t>(tail_of(all, lines)), SEEK_SET);
}

}  // namespace fermata::cli
