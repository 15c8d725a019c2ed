#include "source.hpp"

#include <fermata/base/error.hpp>

#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <system_error>

namespace fermata {
namespace {

class PlainSource final : public InputFile::Source {
public:
    PlainSource(File file, std::filesystem::path path) : file_(std::move(file)), path_(std::move(path)) {}
    std::size_t read(char* into, std::size_t size) override {
        const std::size_t got = read_some(file_.fd(), into, size, path_);
        taken_ += static_cast<std::int64_t>(got);
        return got;
    }
    [[nodiscard]] std::int64_t taken() const noexcept override { return taken_; }
    [[nodiscard]] bool compressed() const noexcept override { return false; }
    void jump(std::int64_t offset) override { taken_ = ::lseek(file_.fd(), offset, SEEK_SET); }

private:
    File file_;
    std::filesystem::path path_;
    std::int64_t taken_ = 0;
};

std::string_view magic_of(int fd, std::array<char, 4>& bytes) {
    const auto got = ::pread(fd, bytes.data(), bytes.size(), 0);
    return {bytes.data(), got > 0 ? static_cast<std::size_t>(got) : 0};
}

}  // namespace

std::unique_ptr<InputFile::Source> open_source(File file, const std::filesystem::path& path, std::size_t block) {
    std::array<char, 4> bytes{};
    const std::string_view magic = magic_of(file.fd(), bytes);
    if (magic.starts_with("\x1f\x8b")) return gzip_source({std::move(file), path, block});
    if (magic.starts_with("\x28\xb5\x2f\xfd")) return zstd_source({std::move(file), path, block});
    return std::make_unique<PlainSource>(std::move(file), path);
}

bool CompressedBytes::fill() {
    if (!rest_.empty()) return true;
    rest_ = {block_.get(), read_some(file_.fd(), block_.get(), size_, path_)};
    return !rest_.empty();
}

void CompressedBytes::broken(std::string_view format, std::string_view reason) const {
    throw IoError(fmt::format("cannot decompress \"{}\": {} at byte {} of the {} data; copy the file again",
                              path_.string(), reason, taken_, format));
}

std::size_t read_some(int fd, char* into, std::size_t size, const std::filesystem::path& path) {
    for (;;) {
        const auto got = ::read(fd, into, size);
        if (got >= 0) return static_cast<std::size_t>(got);
        if (errno != EINTR)
            throw IoError(fmt::format("cannot read \"{}\": {}", path.string(), std::generic_category().message(errno)));
    }
}

}  // namespace fermata
