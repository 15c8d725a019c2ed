#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace fermata::partition {

/// Where to cut a text file into at most `parts` ranges of about the same size: offsets at which a record begins, the
/// first 0, ascending. A line feed inside `quote`s does not end a record; finding those takes one look at every byte.
/// With `quote` 0 the offsets are only near the beginning of records: readers look for it themselves.
[[nodiscard]] std::vector<std::int64_t> record_cuts(const std::filesystem::path& path, std::int64_t parts, char quote);

}  // namespace fermata::partition
