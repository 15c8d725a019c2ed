#pragma once
// Values of PropertyInfo::type that mean something to the runtime.
#include <string_view>

namespace fermata {

/// A file the artifact writes. Partitions cannot share one, so its name has to depend on the partition.
inline constexpr std::string_view path_to_write = "path to write";

}  // namespace fermata
