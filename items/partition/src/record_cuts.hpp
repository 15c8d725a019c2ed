#pragma once
#include <cstdint>
#include <filesystem>
#include <vector>

namespace fermata::partition {

/// Where ranges begin, 0 first: at most `parts` of about the same size, fewer if there is not enough to divide.
using Cuts = std::vector<std::int64_t>;

/// Anywhere in the text of the file, which is read to its end only if it is compressed. REQUIRES: its reader begins a
/// range at the first line that begins in it.
[[nodiscard]] Cuts even_cuts(const std::filesystem::path& path, std::int64_t parts);

/// Each at one of `beginnings`, which are in order.
[[nodiscard]] Cuts cuts_among(const std::vector<std::int64_t>& beginnings, std::int64_t size, std::int64_t parts);

}  // namespace fermata::partition
