#pragma once
// A file as a window of bytes that moves from its beginning to its end, gzip and Zstandard decompressed on the way
// (told by the content, not by the name). Offsets and lines are those of the decompressed bytes.
//
// A position survives the process. Opening at one refuses input that is not what it was (design §6): a file of another
// size is refused, unless the operator accepted that; a file of the same size, or an accepted one, is taken if the
// bytes before the position still have their hash, whatever its times say (a restored copy, a corrected line further
// on). Only a reader that itself issued or verified a
// position, and finds size, inode and modification time as before, goes back without reading everything again.
#include <fermata/batch/checkpoint.hpp>
#include <fermata/items/file/prefix_hash.hpp>

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

struct FilePosition {
    std::int64_t offset = 0;
    std::int64_t line = 1;
    std::int64_t size = 0;      ///< of the file as it lies on the disk
    std::int64_t modified = 0;  ///< ns since 1970
    PrefixHash before;          ///< of the decompressed bytes before `offset`

    [[nodiscard]] Checkpoint to_checkpoint() const;
    /// Throws Error(refused) if these are not the bytes of a file position.
    [[nodiscard]] static FilePosition of(const Checkpoint& checkpoint);
};

class InputFile {
public:
    static constexpr std::size_t default_block = std::size_t{256} << 10;

    explicit InputFile(std::filesystem::path path, std::size_t block = default_block);
    ~InputFile();

    /// From now on open() takes a file of another size, too.
    void accept_change() noexcept { accept_change_ = true; }
    /// From now on open() takes no file of another size at its beginning either, unless a change was accepted.
    void was_divided_at(std::int64_t size) noexcept { divided_size_ = size; }
    /// At the beginning, or where `from` says. May be called again at any time; going back a little costs nothing.
    /// Throws Error: not_found, forbidden (unreadable), refused (a folder, a device, changed input).
    void open(const Checkpoint& from);

    /// The bytes from here on that are in memory. Some 64 bytes behind its end may be read (not used).
    [[nodiscard]] std::string_view window() const noexcept { return {buffer_.get() + begin_, end_ - begin_}; }
    /// Makes the window longer, at least doubling it; false: nothing comes after it. Invalidates window().
    /// Throws IoError, or ReadError for broken compressed data; after that the input counts as ended.
    bool more();
    [[nodiscard]] bool at_end() const noexcept { return ended_; }
    /// Whether the bytes are decompressed on the way. REQUIRES: it is open.
    [[nodiscard]] bool compressed() const noexcept;
    /// Moves on by `bytes` of the window, which hold `lines` line feeds.
    void consume(std::size_t bytes, std::int64_t lines) noexcept {
        begin_ += bytes;
        line_ += lines;
    }
    /// Moves behind the next line feed, however far away, keeping nothing of the line.
    void skip_line();
    /// Moves on to `offset` or the end, counting lines. REQUIRES: not behind here.
    void skip_to(std::int64_t offset);

    [[nodiscard]] std::int64_t offset() const noexcept { return buffer_offset_ + static_cast<std::int64_t>(begin_); }
    [[nodiscard]] std::int64_t line() const noexcept { return line_; }
    [[nodiscard]] FilePosition position();
    /// From here on, position() after `bytes` of the window has nothing left to compute.
    void expect_position_after(std::size_t bytes) noexcept;
    /// How much of the file has been read, 0…1.
    [[nodiscard]] double fraction() const noexcept;
    [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
    /// "vendors.csv", for places in messages.
    [[nodiscard]] const std::string& name() const noexcept { return name_; }

    class Source;

private:
    struct Stamp {
        std::uint64_t device = 0;
        std::uint64_t inode = 0;
        std::int64_t size = 0;
        std::int64_t modified = 0;
        bool operator==(const Stamp&) const = default;
    };
    [[nodiscard]] Stamp examine() const;
    void start_at(const FilePosition& place);
    void go_to_verified(const FilePosition& place);
    [[nodiscard]] bool holds(std::int64_t offset) const noexcept;
    void hash_consumed() noexcept;
    void make_room();
    void refuse_other_size(const FilePosition& place) const;
    void refuse_other_division() const;

    std::filesystem::path path_;
    std::string name_;
    std::size_t block_;
    Stamp stamp_;
    bool accept_change_ = false;
    std::optional<std::int64_t> divided_size_;
    bool own_position_ = false;  ///< this object issued or verified a position of the file it has open
    std::unique_ptr<Source> source_;
    bool ended_ = true;

    std::unique_ptr<char[]> buffer_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;  ///< of the window
    std::size_t end_ = 0;
    std::int64_t buffer_offset_ = 0;
    std::int64_t line_ = 1;
    std::size_t hashed_ = 0;  ///< of the buffer
    PrefixHash hash_;
    struct Expected {
        std::int64_t offset;
        PrefixHash before;
    };
    std::optional<Expected> expected_;
};

/// For formats of text. Throws Error(invalid) if the first KiB has a NUL byte or a UTF-16 byte order mark,
/// naming `format`; moves behind a UTF-8 byte order mark. REQUIRES: the file is open at its beginning.
void enter_text(InputFile& file, std::string_view format);

}  // namespace fermata
