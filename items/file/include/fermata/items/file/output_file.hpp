#pragma once
// A file written exactly once (sink class T3, design §6): it grows as a part beside its target,
// `<target>.fermata-<instance>-<step>.part`, a checkpoint names the part's length, opening cuts it back to that, and
// publish() puts it in place as a whole. Killed at any instant and opened again at the last committed checkpoint, the
// target ends with every byte once. The target itself is not touched before publish().
#include <fermata/base/file.hpp>
#include <fermata/batch/checkpoint.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

/// What to do with a target that is there already.
enum class Exists : std::uint8_t {
    fail,       ///< refuse at the first open, and again in publish() if it came up meanwhile
    overwrite,  ///< replace it in publish()
    append,     ///< begin with a copy of it; publish() refuses if it was changed since
};
/// The property "exists"; `fallback` if it is not given. Throws Error(invalid).
[[nodiscard]] Exists exists_of(const Properties& properties, Exists fallback);
/// That property of writers of files, for `fermata artifacts`.
[[nodiscard]] PropertyInfo exists_info();

class OutputFile {
public:
    /// `instance` and `step` name whose file this is: two that write to one target never share a part.
    OutputFile(std::filesystem::path target, Exists exists, std::string_view instance, std::string_view step);
    /// Of this step, or of this partition of it. `target` below the instance's working directory if it is relative.
    OutputFile(const std::string& target, Exists exists, const ArtifactContext& context);

    /// Without a checkpoint: a new part. With one: the part, cut to its length, or nothing more to do if it has been
    /// published. Throws Error: conflict (target exists), not_found (folder), forbidden, refused (a folder in its
    /// place, part missing or shorter than the checkpoint), IoError.
    void open(const Checkpoint& from);
    /// Buffered. REQUIRES: open, and not published.
    void write(std::string_view bytes);
    /// All bytes written are on the disk when it returns.
    [[nodiscard]] Checkpoint checkpoint();
    /// Harmless when repeated, also by another process after open(checkpoint). Throws Error(conflict), IoError.
    void publish();
    /// Forgets what was written since the checkpoint.
    void close() noexcept;

    /// Bytes so far, with those it began with.
    [[nodiscard]] std::int64_t length() const noexcept { return length_; }
    [[nodiscard]] const std::filesystem::path& target() const noexcept { return target_; }
    /// The part's first line, without its end; for a writer that appends.
    [[nodiscard]] std::string first_line() const;

private:
    /// The target as it was copied, so that publish() can tell whether it is still the same.
    struct Original {
        std::uint64_t inode = 0;  ///< 0: there was none
        std::int64_t size = 0;
        std::int64_t modified = 0;
        bool operator==(const Original&) const = default;
    };
    struct Saved {
        std::int64_t length = 0;
        std::uint64_t inode = 0;
        Original original;
        std::string name;
    };
    [[nodiscard]] static Saved parse(const Checkpoint& checkpoint);
    [[nodiscard]] Original examine_target() const;
    void start();
    void copy_target();
    void continue_from(const Saved& saved);
    void flush();
    void place();

    std::filesystem::path target_;
    std::filesystem::path part_;
    Exists exists_;
    Original original_;
    File file_;
    std::uint64_t inode_ = 0;
    std::int64_t length_ = 0;
    std::string buffer_;
    bool published_ = false;
};

}  // namespace fermata
