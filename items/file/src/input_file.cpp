#include "source.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

namespace fermata {
namespace {

constexpr std::size_t readable_behind = 64;
constexpr std::size_t judged_bytes = 1024;

[[noreturn]] void cannot_read(const std::filesystem::path& path, int error) {
    const std::string reason = std::generic_category().message(error);
    if (error == ENOENT || error == ENOTDIR)
        throw Error(ErrorKind::not_found, fmt::format("cannot read \"{}\": there is no such file", path.string()),
                    "check the property \"resource\" and the working directory");
    if (error == EACCES || error == EPERM)
        throw Error(ErrorKind::forbidden, fmt::format("cannot read \"{}\": {}", path.string(), reason),
                    "give this user the right to read it");
    throw IoError(fmt::format("cannot read \"{}\": {}", path.string(), reason));
}

File open_to_read(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) cannot_read(path, errno);
    return File(fd);
}

}  // namespace

InputFile::InputFile(std::filesystem::path path, std::size_t block)
    : path_(std::move(path)), name_(path_.filename().string()), block_(block) {}
InputFile::~InputFile() = default;

void InputFile::open(const Checkpoint& from) {
    expected_.reset();
    const Stamp found = examine();
    own_position_ = own_position_ && found == stamp_;
    stamp_ = found;
    if (!from) {
        refuse_other_division();
        return start_at({});
    }
    const FilePosition place = FilePosition::of(from);
    if (!accept_change_) refuse_other_size(place);
    const bool same = place.modified == stamp_.modified && place.size == stamp_.size;
    if (!own_position_ || !same) return go_to_verified(place);
    if (holds(place.offset)) {
        begin_ = static_cast<std::size_t>(place.offset - buffer_offset_);
        line_ = place.line;
        hash_ = place.before;
        hashed_ = begin_;
        return;
    }
    start_at(place);
}

InputFile::Stamp InputFile::examine() const {
    struct stat facts{};
    if (::stat(path_.c_str(), &facts) != 0) cannot_read(path_, errno);
    if (S_ISDIR(facts.st_mode))
        throw Error(ErrorKind::refused, fmt::format("cannot read \"{}\": it is a folder", path_.string()),
                    "name a file in it");
    if (!S_ISREG(facts.st_mode))
        throw Error(ErrorKind::refused,
                    fmt::format("cannot read \"{}\": it is not a regular file, so reading could not go on after a stop",
                                path_.string()),
                    "write the input into a file first");
    return {.device = facts.st_dev,
            .inode = facts.st_ino,
            .size = facts.st_size,
            .modified = (std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000) + facts.st_mtim.tv_nsec};
}

void InputFile::refuse_other_size(const FilePosition& place) const {
    if (place.size == stamp_.size) return;
    throw Error(ErrorKind::refused,
                fmt::format("input changed: \"{}\" had {} bytes at the checkpoint and has {} now", path_.string(),
                            with_commas(place.size), with_commas(stamp_.size)),
                fmt::format("restore the file; or, if it is read as a whole and was changed from line {} on only, "
                            "restart with --accept-input; or start a new instance",
                            place.line));
}

/// Ranges of what the file was do not hold each record of what it is.
void InputFile::refuse_other_division() const {
    if (accept_change_ || !divided_size_ || *divided_size_ == stamp_.size) return;
    throw Error(ErrorKind::refused,
                fmt::format("input changed: \"{}\" had {} bytes when it was divided into ranges and has {} now",
                            path_.string(), with_commas(*divided_size_), with_commas(stamp_.size)),
                "restore the file, or start a new instance");
}

/// REQUIRES: `place` is the beginning, or a position of this very file.
void InputFile::start_at(const FilePosition& place) {
    source_ = open_source(open_to_read(path_), path_, block_);
    ended_ = false;
    begin_ = end_ = hashed_ = 0;
    if (source_->compressed()) {
        buffer_offset_ = 0;
        hash_ = {};
        skip_to(place.offset);
    } else {
        source_->jump(place.offset);
        buffer_offset_ = place.offset;
        hash_ = place.before;
    }
    line_ = place.line;
}

void InputFile::go_to_verified(const FilePosition& place) {
    start_at({});
    skip_to(place.offset);
    line_ = place.line;
    hash_consumed();
    if (offset() != place.offset || hash_ != place.before)
        throw Error(
            ErrorKind::refused,
            fmt::format("input changed: the {} bytes of \"{}\" before line {} had hash {} at the checkpoint and "
                        "have {} now",
                        with_commas(place.offset), path_.string(), place.line, place.before.digest(), hash_.digest()),
            "they were read already: restore the file, or start a new instance");
    own_position_ = true;
}

bool InputFile::holds(std::int64_t offset) const noexcept {
    return source_ && offset >= buffer_offset_ && offset <= buffer_offset_ + static_cast<std::int64_t>(end_);
}

bool InputFile::more() {
    if (ended_) return false;
    make_room();
    // After an error the input has ended and the source is gone, so that only open() can start anew.
    ended_ = true;
    auto source = std::move(source_);
    const std::size_t got = source->read(buffer_.get() + end_, capacity_ - end_);
    source_ = std::move(source);
    ended_ = got == 0;
    end_ += got;
    return !ended_;
}

void InputFile::make_room() {
    const std::size_t kept = end_ - begin_;
    const std::size_t wanted = std::max(block_, kept);
    if (capacity_ - end_ >= wanted) return;
    hash_consumed();
    if (kept + wanted > capacity_) {
        // Whole blocks: else a tail longer than any before would cost a new buffer.
        const std::size_t capacity = (kept + wanted + block_ - 1) / block_ * block_;
        auto larger = std::make_unique_for_overwrite<char[]>(capacity + readable_behind);
        if (kept != 0) std::memcpy(larger.get(), buffer_.get() + begin_, kept);
        buffer_ = std::move(larger);
        capacity_ = capacity;
    } else if (kept != 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, kept);
    }
    buffer_offset_ += static_cast<std::int64_t>(begin_);
    begin_ = hashed_ = 0;
    end_ = kept;
}

void InputFile::hash_consumed() noexcept {
    hash_.add({buffer_.get() + hashed_, begin_ - hashed_});
    hashed_ = begin_;
}

void InputFile::skip_line() {
    do {
        const std::size_t feed = window().find('\n');
        if (feed != std::string_view::npos) return consume(feed + 1, 1);
        consume(window().size(), 0);
    } while (more());
}

void InputFile::skip_to(std::int64_t offset) {
    while (this->offset() < offset) {
        if (window().empty() && !more()) return;
        const auto left = static_cast<std::uint64_t>(offset - this->offset());
        const std::string_view skipped = window().substr(0, std::min<std::uint64_t>(left, window().size()));
        consume(skipped.size(), std::ranges::count(skipped, '\n'));
    }
}

void InputFile::expect_position_after(std::size_t bytes) noexcept {
    hash_consumed();
    expected_ = {offset() + static_cast<std::int64_t>(bytes), hash_};
    expected_->before.add(window().substr(0, bytes));
}

FilePosition InputFile::position() {
    if (expected_ && expected_->offset == offset()) {
        hash_ = expected_->before;
        hashed_ = begin_;
    }
    hash_consumed();
    own_position_ = true;
    return {.offset = offset(), .line = line_, .size = stamp_.size, .modified = stamp_.modified, .before = hash_};
}

bool InputFile::compressed() const noexcept { return source_->compressed(); }

double InputFile::fraction() const noexcept {
    if (!source_ || stamp_.size == 0) return 1;
    const std::int64_t done = source_->compressed() ? source_->taken() : offset();
    return std::min(1.0, static_cast<double>(done) / static_cast<double>(stamp_.size));
}

void enter_text(InputFile& file, std::string_view format) {
    if (file.window().empty()) file.more();
    while (file.window().size() < 3 && file.more()) {
    }
    const std::string_view text = file.window();
    const auto refuse = [&](const std::string& what, std::string remedy) {
        throw Error(ErrorKind::invalid, fmt::format("\"{}\" is not {}: {}", file.path().string(), format, what),
                    std::move(remedy));
    };
    if (text.starts_with("\xff\xfe") || text.starts_with("\xfe\xff"))
        refuse("it is encoded as UTF-16", "convert it first, for example with iconv -f UTF-16 -t UTF-8");
    if (const std::size_t nul = text.substr(0, judged_bytes).find('\0'); nul != std::string_view::npos)
        refuse(
            fmt::format("it is binary, with a NUL byte at offset {}", file.offset() + static_cast<std::int64_t>(nul)),
            "name a text file");
    if (text.starts_with("\xef\xbb\xbf")) file.consume(3, 0);
}

}  // namespace fermata
