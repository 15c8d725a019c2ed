#pragma once
#include <fermata/base/file.hpp>
#include <fermata/items/file/input_file.hpp>

namespace fermata {

/// Decompressed bytes of one open file, one after the other.
class InputFile::Source {
public:
    virtual ~Source() = default;
    /// At most `size` bytes; 0: the end.
    virtual std::size_t read(char* into, std::size_t size) = 0;
    /// Bytes of the file itself that were taken so far.
    [[nodiscard]] virtual std::int64_t taken() const noexcept = 0;
    [[nodiscard]] virtual bool compressed() const noexcept = 0;
    /// Moves to `offset`. REQUIRES: not compressed.
    virtual void jump(std::int64_t offset) = 0;
};

[[nodiscard]] std::unique_ptr<InputFile::Source> open_source(File file, const std::filesystem::path& path,
                                                             std::size_t block);

class CompressedSource : public InputFile::Source {
public:
    [[nodiscard]] bool compressed() const noexcept final { return true; }
    void jump(std::int64_t) final {}
};

/// The bytes of a compressed file in blocks, with a place to go on from.
class CompressedBytes {
public:
    CompressedBytes(File file, std::filesystem::path path, std::size_t block)
        : file_(std::move(file)), path_(std::move(path)), block_(std::make_unique<char[]>(block)), size_(block) {}
    /// False at the end of the file. After it, rest() is not empty.
    bool fill();
    [[nodiscard]] std::string_view rest() const noexcept { return rest_; }
    void take(std::size_t bytes) noexcept {
        rest_.remove_prefix(bytes);
        taken_ += static_cast<std::int64_t>(bytes);
    }
    [[nodiscard]] std::int64_t taken() const noexcept { return taken_; }
    [[noreturn]] void broken(std::string_view format, std::string_view reason) const;

private:
    File file_;
    std::filesystem::path path_;
    std::unique_ptr<char[]> block_;
    std::size_t size_;
    std::string_view rest_;
    std::int64_t taken_ = 0;
};

[[nodiscard]] std::unique_ptr<InputFile::Source> gzip_source(CompressedBytes bytes);
[[nodiscard]] std::unique_ptr<InputFile::Source> zstd_source(CompressedBytes bytes);

/// read(2), repeated when interrupted; throws IoError.
[[nodiscard]] std::size_t read_some(int fd, char* into, std::size_t size, const std::filesystem::path& path);

}  // namespace fermata
