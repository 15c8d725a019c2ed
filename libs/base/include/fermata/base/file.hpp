#pragma once
// Files as Fermata needs them: owned descriptors that never leak into children, durable writes, kernel locks that die
// with their process. Every function throws IoError, or NoPermission as one, naming the path and the system's reason.
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

/// Owns a descriptor; closes it in the destructor. Opened close-on-exec.
class File {
public:
    File() = default;
    explicit File(int fd) noexcept : fd_(fd) {}
    File(File&& other) noexcept : fd_(other.release()) {}
    File& operator=(File&& other) noexcept;
    ~File();

    /// `flags` as open(2); O_CLOEXEC is added.
    [[nodiscard]] static File open(const std::filesystem::path& path, int flags, unsigned mode = 0600);
    [[nodiscard]] int fd() const noexcept { return fd_; }
    [[nodiscard]] int release() noexcept;
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_ = -1;
};

/// Which file a path names, whatever links lead there.
struct FileIdentity {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    auto operator<=>(const FileIdentity&) const = default;
};
[[nodiscard]] FileIdentity identity_of(int fd);
/// Nothing if the file does not exist.
[[nodiscard]] std::optional<FileIdentity> identity_of(const std::filesystem::path& path);

[[nodiscard]] std::string read_file(const std::filesystem::path& path, std::uint64_t limit = 64ULL << 20);
/// Temporary file beside it, fsync, rename, fsync of the folder: the old content or the new, never a part.
void write_file_durably(const std::filesystem::path& path, std::string_view content, unsigned mode = 0600);
/// From where the descriptor stands to its end.
[[nodiscard]] std::string read_all(int fd, const std::filesystem::path& name_for_errors,
                                   std::uint64_t limit = 64ULL << 20);
void write_all(int fd, std::string_view content, const std::filesystem::path& name_for_errors);
void sync_folder(const std::filesystem::path& folder);

/// Exclusive OFD lock on `length` bytes at `offset` (fcntl F_OFD_SETLK): belongs to the open file description, so two
/// opens in one process exclude each other, a forked child that keeps the descriptor keeps the lock, and the kernel
/// frees it when the last copy is closed, however that process dies.
[[nodiscard]] bool try_lock(int fd, std::int64_t offset = 0, std::int64_t length = 1);
void lock_blocking(int fd, std::int64_t offset, std::int64_t length = 1);
void unlock(int fd, std::int64_t offset, std::int64_t length = 1);

}  // namespace fermata
