#pragma once
#include <filesystem>
#include <string>
#include <vector>

namespace fermata::cli {

struct SettingEntry {
    std::string key;    ///< "a.b" for a key in a table
    std::string value;  ///< text as written between the quotes
    std::string place;  ///< "fermata.toml:3"
};
/// In the order of the file. Throws Error(invalid) with file:line:column for what is no TOML, or no text.
[[nodiscard]] std::vector<SettingEntry> read_settings_file(const std::filesystem::path& path);

}  // namespace fermata::cli
