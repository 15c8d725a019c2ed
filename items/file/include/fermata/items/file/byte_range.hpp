#pragma once
// A range of a file's bytes, as the properties `start` and `end` give it to readers of lines or records. It holds those
// that begin in it, so that ranges side by side hold each once.
#include <fermata/batch/registry.hpp>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

class InputFile;

struct ByteRange {
    std::int64_t start = 0;
    std::optional<std::int64_t> file_size;  ///< on the disk, when the file was divided
    std::int64_t end = std::numeric_limits<std::int64_t>::max();

    /// The whole file if the properties are not there. Throws Error(invalid).
    [[nodiscard]] static ByteRange of(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
    /// As the property `start` is written: "4096" is an offset. "4096/52428" is one in a file that had 52,428 bytes
    /// when it was divided: divided again, another file would be cut elsewhere, so it is refused.
    [[nodiscard]] std::string start_text() const;

    /// Before it is opened: which change of the file is refused. One that is accepted is accepted for the whole file
    /// only; ranges of others would no longer meet this one.
    void apply_to(InputFile& file, bool accept_change) const;
    /// To the first line that begins in the range; not back.
    void skip_to_start(InputFile& file) const;
    /// How much of the range has been read, 0…1.
    [[nodiscard]] double fraction_of(const InputFile& file) const noexcept;

private:
    [[nodiscard]] bool has_end() const noexcept { return end != ByteRange().end; }
};

}  // namespace fermata
