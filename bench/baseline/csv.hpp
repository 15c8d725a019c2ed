#pragma once
// The hand-written CSV parser of the baselines: a mapped file, fields as views into it. What a good engineer writes for
// this one file: no line numbers, no limits, no encodings, no messages.
#include <cstring>
#include <stdexcept>
#include <string>
#include <string_view>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

namespace baseline {

class MappedFile {
public:
    explicit MappedFile(const char* path) {
        const int fd = ::open(path, O_RDONLY | O_CLOEXEC);
        struct stat status{};
        if (fd < 0 || ::fstat(fd, &status) != 0) throw std::runtime_error(std::string("cannot open ") + path);
        size_ = static_cast<std::size_t>(status.st_size);
        void* place = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
        ::close(fd);
        if (place == MAP_FAILED) throw std::runtime_error(std::string("cannot map ") + path);
        data_ = static_cast<const char*>(place);
    }
    MappedFile(const MappedFile&) = delete;
    MappedFile& operator=(const MappedFile&) = delete;
    ~MappedFile() { ::munmap(const_cast<char*>(data_), size_); }

    [[nodiscard]] std::string_view text() const noexcept { return {data_, size_}; }

private:
    const char* data_ = nullptr;
    std::size_t size_ = 0;
};

/// Fields of one record after the other. A quoted field with doubled quotes is put together in `unquoted`.
class CsvParser {
public:
    explicit CsvParser(std::string_view text) : next_(text.data()), end_(text.data() + text.size()) {}

    [[nodiscard]] bool at_end() const noexcept { return next_ == end_; }
    [[nodiscard]] std::size_t offset(std::string_view text) const noexcept {
        return static_cast<std::size_t>(next_ - text.data());
    }
    void skip_record() {
        const void* line_end = std::memchr(next_, '\n', static_cast<std::size_t>(end_ - next_));
        next_ = line_end != nullptr ? static_cast<const char*>(line_end) + 1 : end_;
    }
    /// REQUIRES: the record has this many fields.
    template <std::size_t N>
    void record(std::string_view (&fields)[N]) {
        for (std::size_t i = 0; i + 1 < N; ++i) fields[i] = field(',', i);
        fields[N - 1] = field('\n', N - 1);
    }

private:
    std::string_view field(char terminator, std::size_t number) {
        if (next_ != end_ && *next_ == '"') return quoted(number);
        const char* begin = next_;
        while (next_ != end_ && *next_ != terminator) ++next_;
        const std::string_view value(begin, static_cast<std::size_t>(next_ - begin));
        if (next_ != end_) ++next_;
        return value;
    }
    std::string_view quoted(std::size_t number) {
        const char* begin = ++next_;
        std::string& joined = unquoted_[number];
        joined.clear();
        while (true) {
            const char* quote =
                static_cast<const char*>(std::memchr(next_, '"', static_cast<std::size_t>(end_ - next_)));
            if (quote == nullptr) throw std::runtime_error("unterminated quote");
            const bool doubled = quote + 1 != end_ && quote[1] == '"';
            if (!doubled && joined.empty()) {
                next_ = quote + 1 == end_ ? end_ : quote + 2;
                return {begin, static_cast<std::size_t>(quote - begin)};
            }
            joined.append(next_, doubled ? quote + 1 : quote);
            next_ = doubled || quote + 1 != end_ ? quote + 2 : end_;
            if (!doubled) return joined;
        }
    }

    const char* next_;
    const char* end_;
    std::string unquoted_[8];
};

}  // namespace baseline
