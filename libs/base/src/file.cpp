#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>
#include <fermata/base/id.hpp>
#include <fermata/base/no_permission.hpp>

#include <fmt/format.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <cerrno>
#include <system_error>
#include <utility>

namespace fermata {
namespace {

[[noreturn]] void throw_io(std::string_view action, const std::filesystem::path& path, int error) {
    const std::string message =
        fmt::format("cannot {} \"{}\": {}", action, path.string(), std::generic_category().message(error));
    if (is_no_permission(error)) throw NoPermission(message);
    throw IoError(message);
}

/// Repeats an interrupted system call; throws if it failed.
template <class Call>
auto checked(std::string_view action, const std::filesystem::path& path, Call call) {
    for (;;) {
        const auto result = call();
        if (result >= 0) return result;
        if (errno != EINTR) throw_io(action, path, errno);
    }
}

std::string name_of(int fd) {
    std::error_code error;
    const auto path = std::filesystem::read_symlink(fmt::format("/proc/self/fd/{}", fd), error);
    return error ? fmt::format("descriptor {}", fd) : path.string();
}

struct flock byte_range(short type, std::int64_t offset, std::int64_t length) {
    struct flock range{};
    range.l_type = type;
    range.l_whence = SEEK_SET;
    range.l_start = offset;
    range.l_len = length;
    return range;
}

std::filesystem::path folder_of(const std::filesystem::path& path) {
    auto folder = path.parent_path();
    return folder.empty() ? std::filesystem::path(".") : folder;
}

/// Removes a temporary file unless it found its final place.
class Temporary {
public:
    explicit Temporary(const std::filesystem::path& target)
        : path_(folder_of(target) / fmt::format(".{}.{}.tmp", target.filename().string(), new_uuid())) {}
    Temporary(const Temporary&) = delete;
    Temporary& operator=(const Temporary&) = delete;
    ~Temporary() {
        if (!placed_) ::unlink(path_.c_str());
    }
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    void place(const std::filesystem::path& target) {
        checked("replace", target, [&] { return ::rename(path_.c_str(), target.c_str()); });
        placed_ = true;
    }

private:
    std::filesystem::path path_;
    bool placed_ = false;
};

}  // namespace

File& File::operator=(File&& other) noexcept {
    File old(std::exchange(fd_, other.release()));
    return *this;
}

File::~File() {
    if (fd_ >= 0) ::close(fd_);
}

int File::release() noexcept { return std::exchange(fd_, -1); }

File File::open(const std::filesystem::path& path, int flags, unsigned mode) {
    return File(checked("open", path, [&] { return ::open(path.c_str(), flags | O_CLOEXEC, mode); }));
}

FileIdentity identity_of(int fd) {
    struct stat facts{};
    if (::fstat(fd, &facts) < 0) throw_io("examine", name_of(fd), errno);
    return {.device = facts.st_dev, .inode = facts.st_ino};
}

std::optional<FileIdentity> identity_of(const std::filesystem::path& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) == 0) return FileIdentity{.device = facts.st_dev, .inode = facts.st_ino};
    if (errno == ENOENT || errno == ENOTDIR) return std::nullopt;
    throw_io("examine", path, errno);
}

std::string read_file(const std::filesystem::path& path, std::uint64_t limit) {
    return read_all(File::open(path, O_RDONLY).fd(), path, limit);
}

std::string read_all(int fd, const std::filesystem::path& name_for_errors, std::uint64_t limit) {
    std::string content;
    // Sizes are not asked for: files of /proc say 0, and others may grow meanwhile.
    for (std::size_t block = 4096;; block = std::min<std::size_t>(block * 2, 1U << 20)) {
        const std::size_t end = content.size();
        content.resize(end + block);
        const auto got = checked("read", name_for_errors, [&] { return ::read(fd, content.data() + end, block); });
        content.resize(end + static_cast<std::size_t>(got));
        if (got == 0) return content;
        if (content.size() > limit)
            throw IoError(
                fmt::format("cannot read \"{}\": it is longer than {} bytes", name_for_errors.string(), limit));
    }
}

void write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode) {
    Temporary temporary(path);
    {
        const File file = File::open(temporary.path(), O_WRONLY | O_CREAT | O_EXCL, mode);
        write_all(file.fd(), content, path);
        checked("flush", path, [&] { return ::fsync(file.fd()); });
    }
    temporary.place(path);
    sync_folder(folder_of(path));
}

void write_all(int fd, std::string_view content, const std::filesystem::path& name_for_errors) {
    while (!content.empty()) {
        const auto written =
            checked("write", name_for_errors, [&] { return ::write(fd, content.data(), content.size()); });
        content.remove_prefix(static_cast<std::size_t>(written));
    }
}

void sync_folder(const std::filesystem::path& folder) {
    const File file = File::open(folder, O_RDONLY | O_DIRECTORY);
    checked("flush", folder, [&] { return ::fsync(file.fd()); });
}

bool try_lock(int fd, std::int64_t offset, std::int64_t length) {
    auto range = byte_range(F_WRLCK, offset, length);
    while (::fcntl(fd, F_OFD_SETLK, &range) < 0) {
        const int reason = errno;
        if (reason == EAGAIN || reason == EACCES) return false;
        if (reason != EINTR) throw_io("lock", name_of(fd), reason);
    }
    return true;
}

void lock_blocking(int fd, std::int64_t offset, std::int64_t length) {
    auto range = byte_range(F_WRLCK, offset, length);
    checked("lock", name_of(fd), [&] { return ::fcntl(fd, F_OFD_SETLKW, &range); });
}

void unlock(int fd, std::int64_t offset, std::int64_t length) {
    auto range = byte_range(F_UNLCK, offset, length);
    while (::fcntl(fd, F_OFD_SETLK, &range) < 0) {
        const int reason = errno;
        if (reason != EINTR) throw_io("unlock", name_of(fd), reason);
    }
}

}  // namespace fermata
