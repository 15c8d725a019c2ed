#pragma once
// The property `start` of readers of a range of bytes. "4096" is an offset. "4096/52428" is one in a file that had
// 52,428 bytes on the disk when it was divided: divided again, another file would be cut elsewhere, so it is refused.
#include <fermata/batch/properties.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fermata {

struct RangeStart {
    std::int64_t offset = 0;
    std::optional<std::int64_t> file_size;

    /// 0 if the property is not there. Throws Error(invalid).
    [[nodiscard]] static RangeStart of(const Properties& properties);
    [[nodiscard]] std::string text() const;
};

}  // namespace fermata
