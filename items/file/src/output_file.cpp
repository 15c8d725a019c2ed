#include <fermata/base/error.hpp>
#include <fermata/base/point.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/output_file.hpp>

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fcntl.h>
#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

namespace fermata {
namespace {

constexpr std::size_t buffer_size = std::size_t{256} << 10;

std::filesystem::path folder_of(const std::filesystem::path& path) {
    return path.has_parent_path() ? path.parent_path() : std::filesystem::path(".");
}

[[noreturn]] void cannot_write(const std::filesystem::path& target, int error) {
    const std::string reason = std::generic_category().message(error);
    if (error == ENOENT || error == ENOTDIR)
        throw Error(
            ErrorKind::not_found,
            fmt::format(R"(cannot write "{}": there is no folder "{}")", target.string(), folder_of(target).string()),
            "create the folder");
    if (error == EACCES || error == EPERM || error == EROFS)
        throw Error(
            ErrorKind::forbidden,
            fmt::format(R"(cannot write "{}" in "{}": {})", target.string(), folder_of(target).string(), reason),
            "give this user the right to create files there");
    throw IoError(fmt::format("cannot write \"{}\": {}", target.string(), reason));
}

void check(int result, const std::filesystem::path& target) {
    if (result != 0) cannot_write(target, errno);
}

/// A symbolic link stays one: the file it leads to is written.
std::filesystem::path without_links(std::filesystem::path path) {
    std::error_code error;
    return std::filesystem::is_symlink(path, error) ? std::filesystem::weakly_canonical(path) : path;
}

/// Step names may hold anything, file names may not: 32 bits of FNV-1a tell the steps of one instance apart.
std::uint32_t hash_of(std::string_view text) {
    std::uint32_t hash = 2166136261U;
    for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    return hash;
}

std::filesystem::path part_of(const std::filesystem::path& target, std::string_view instance, std::string_view step) {
    return folder_of(target) /
           fmt::format("{}.fermata-{}-{:08x}.part", target.filename().string(), instance, hash_of(step));
}

template <class Number>
bool take(std::string_view& text, std::string_view name, Number& number) {
    if (!text.starts_with(name)) return false;
    text.remove_prefix(name.size());
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const auto taken = static_cast<std::size_t>(end - text.data());
    if (error != std::errc() || taken == text.size() || *end != ' ') return false;
    text.remove_prefix(taken + 1);
    return true;
}

std::string owner_of(const StepContext& step) {
    return step.partition ? fmt::format("{} {}", step.step_name, *step.partition) : step.step_name;
}

/// Whether `from` now is `to`; false: `to` exists.
bool rename_unless_exists(const std::filesystem::path& from, const std::filesystem::path& to) {
    if (::renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) return true;
    if (errno == EEXIST) return false;
    if (errno != EINVAL) cannot_write(to, errno);
    // A file system without that flag, NFS for one.
    if (std::filesystem::exists(to)) return false;
    check(::rename(from.c_str(), to.c_str()), to);
    return true;
}

[[noreturn]] void target_exists(const std::filesystem::path& target) {
    throw Error(ErrorKind::conflict, fmt::format("\"{}\" exists already", target.string()),
                R"(remove it, or set the property exists to "overwrite" or "append")");
}

}  // namespace

Exists exists_of(const Properties& properties, Exists fallback) {
    const auto text = properties.find<std::string>("exists");
    if (!text) return fallback;
    if (*text == "fail") return Exists::fail;
    if (*text == "overwrite") return Exists::overwrite;
    if (*text == "append") return Exists::append;
    throw properties.wrong("exists", fmt::format("\"{}\" is not fail, overwrite or append", printable(*text)));
}

PropertyInfo exists_info() {
    return {.name = "exists",
            .type = "fail|overwrite|append",
            .default_value = "fail",
            .about = "what to do with a file that is there already; it is not touched before the step is complete"};
}

OutputFile::OutputFile(std::filesystem::path target, Exists exists, std::string_view instance, std::string_view step)
    : target_(without_links(std::move(target))), part_(part_of(target_, instance, step)), exists_(exists) {}

OutputFile::OutputFile(const std::string& target, Exists exists, const ArtifactContext& context)
    : OutputFile(context.step->resolve_path(target), exists, context.job.instance_uuid, owner_of(*context.step)) {}

void OutputFile::open(const Checkpoint& from) {
    close();
    published_ = false;
    if (from)
        continue_from(parse(from));
    else
        start();
}

OutputFile::Original OutputFile::examine_target() const {
    struct stat facts{};
    if (::stat(target_.c_str(), &facts) != 0) {
        if (errno == ENOENT) return {};
        cannot_write(target_, errno);
    }
    if (!S_ISREG(facts.st_mode))
        throw Error(ErrorKind::refused,
                    fmt::format("cannot write \"{}\": it is {}", target_.string(),
                                S_ISDIR(facts.st_mode) ? "a folder" : "not a regular file"),
                    "name a file");
    return {.inode = facts.st_ino,
            .size = facts.st_size,
            .modified = (std::int64_t{facts.st_mtim.tv_sec} * 1'000'000'000) + facts.st_mtim.tv_nsec};
}

void OutputFile::start() {
    original_ = examine_target();
    const bool replaces = original_.inode != 0;
    if (replaces && exists_ == Exists::fail) target_exists(target_);
    const int fd = ::open(part_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) cannot_write(target_, errno);
    file_ = File(fd);
    inode_ = identity_of(fd).inode;
    length_ = 0;
    if (replaces && exists_ == Exists::append) copy_target();
    FERMATA_POINT("file.part-created");
    sync_folder(folder_of(part_));
}

void OutputFile::copy_target() {
    const File from = File::open(target_, O_RDONLY);
    std::array<char, 65536> block{};
    char last = '\n';
    for (;;) {
        const auto got = ::read(from.fd(), block.data(), block.size());
        if (got < 0) cannot_write(target_, errno);
        if (got == 0) break;
        last = block[static_cast<std::size_t>(got) - 1];
        write({block.data(), static_cast<std::size_t>(got)});
    }
    if (last != '\n') write("\n");
}

void OutputFile::continue_from(const Saved& saved) {
    if (saved.name != part_.filename())
        throw Error(ErrorKind::refused,
                    fmt::format(R"(the checkpoint is about "{}", the step now writes "{}")", printable(saved.name),
                                part_.filename().string()),
                    "restart with the resource the instance began with, or start a new instance");
    length_ = saved.length;
    inode_ = saved.inode;
    original_ = saved.original;
    const int fd = ::open(part_.c_str(), O_RDWR | O_CLOEXEC);
    if (fd < 0 && errno != ENOENT) cannot_write(target_, errno);
    if (fd < 0) {
        const Original found = examine_target();
        published_ = found.inode == inode_ && found.size == length_;
        if (published_) return;
        throw Error(ErrorKind::refused,
                    fmt::format("output changed: \"{}\" is gone, the checkpoint needs its {} bytes", part_.string(),
                                with_commas(length_)),
                    "restore it, or start a new instance");
    }
    file_ = File(fd);
    struct stat facts{};
    check(::fstat(fd, &facts), target_);
    if (facts.st_size < length_)
        throw Error(ErrorKind::refused,
                    fmt::format("output changed: \"{}\" has {} bytes, the checkpoint needs {}", part_.string(),
                                with_commas(facts.st_size), with_commas(length_)),
                    "restore it, or start a new instance");
    inode_ = facts.st_ino;
    check(::ftruncate(fd, length_), target_);
    if (::lseek(fd, length_, SEEK_SET) != length_) cannot_write(target_, errno);
}

void OutputFile::write(std::string_view bytes) {
    if (published_)
        throw Error(ErrorKind::refused, fmt::format("\"{}\" is published already", target_.string()),
                    "start a new instance");
    length_ += static_cast<std::int64_t>(bytes.size());
    buffer_.append(bytes);
    if (buffer_.size() >= buffer_size) flush();
}

void OutputFile::flush() {
    FERMATA_POINT("file.before-write");
    write_all(file_.fd(), buffer_, target_);
    FERMATA_POINT("file.after-write");
    buffer_.clear();
}

Checkpoint OutputFile::checkpoint() {
    if (!published_) {
        flush();
        check(::fdatasync(file_.fd()), target_);
        FERMATA_POINT("file.after-sync");
    }
    return Checkpoint(fmt::format("segments=1 length={} inode={} original={} size={} modified={} name={}", length_,
                                  inode_, original_.inode, original_.size, original_.modified,
                                  part_.filename().string()));
}

OutputFile::Saved OutputFile::parse(const Checkpoint& checkpoint) {
    Saved saved;
    std::string_view text = checkpoint.bytes();
    int segments = 0;
    const bool known = take(text, "segments=", segments) && segments == 1 && take(text, "length=", saved.length) &&
                       take(text, "inode=", saved.inode) && take(text, "original=", saved.original.inode) &&
                       take(text, "size=", saved.original.size) && take(text, "modified=", saved.original.modified) &&
                       text.starts_with("name=") && saved.length >= 0;
    if (!known)
        throw Error(ErrorKind::refused,
                    fmt::format("checkpoint unreadable: \"{}\" is not the position of a file writer",
                                printable(checkpoint.bytes())),
                    "was the step's writer changed? start a new instance");
    saved.name = text.substr(5);
    return saved;
}

void OutputFile::publish() {
    if (!published_) {
        flush();
        check(::fsync(file_.fd()), target_);
        FERMATA_POINT("file.before-rename");
        place();
        FERMATA_POINT("file.after-rename");
        published_ = true;
        file_ = File();
    }
    // Also when the rename was done before: it may not have reached the disk.
    sync_folder(folder_of(target_));
    FERMATA_POINT("file.published");
}

void OutputFile::place() {
    const Original now = examine_target();
    if (exists_ == Exists::append && now != original_)
        throw Error(ErrorKind::conflict,
                    fmt::format("\"{}\" was changed by somebody else since this step copied it ({} bytes then, {} now)",
                                target_.string(), with_commas(original_.size), with_commas(now.size)),
                    fmt::format("what this step wrote is in \"{}\"", part_.string()));
    if (now.inode == 0 || exists_ == Exists::fail) {
        if (!rename_unless_exists(part_, target_)) target_exists(target_);
        return;
    }
    struct stat facts{};
    check(::stat(target_.c_str(), &facts), target_);
    check(::fchmod(file_.fd(), facts.st_mode & 07777), target_);
    check(::rename(part_.c_str(), target_.c_str()), target_);
}

void OutputFile::close() noexcept {
    file_ = File();
    buffer_.clear();
}

std::string OutputFile::first_line() const {
    std::string text(std::min<std::int64_t>(length_, 65536), '\0');
    const auto from_disk = ::pread(file_.fd(), text.data(), text.size(), 0);
    text.resize(static_cast<std::size_t>(std::max<ssize_t>(from_disk, 0)));
    if (text.empty()) text = buffer_;  // not yet flushed
    text = text.substr(0, text.find('\n'));
    if (text.ends_with('\r')) text.pop_back();
    return text;
}

}  // namespace fermata
