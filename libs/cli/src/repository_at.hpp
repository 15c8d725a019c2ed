#pragma once
// Where owner files and logs lie that belong to a repository.
#include <fermata/cli/cli.hpp>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

namespace fermata::cli {

/// `file`: the repository's, if it is one; else it is on a server. Throws Error(usage) if there is no home folder.
[[nodiscard]] std::filesystem::path local_folder_of(const std::optional<std::filesystem::path>& file);

}  // namespace fermata::cli
