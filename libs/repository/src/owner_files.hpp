#pragma once
// Owner files that no row names.
#include <filesystem>
#include <set>
#include <string>

namespace fermata {

/// A process that was killed between making its owner file and writing its row leaves the file behind. Removes those
/// that are older than an hour, of no `known` incarnation, and locked by nobody.
void remove_strays(const std::filesystem::path& data_folder, const std::set<std::string>& known);

}  // namespace fermata
