#pragma once
// Where a database stands.
#include <filesystem>
#include <string>

namespace fermata::sqlite {

/// "sqlite:PATH" or PATH as a path; throws Error(usage) if it names no file.
[[nodiscard]] std::string path_of_url(const std::string& url);
/// Absolute, links resolved, as SQLite names its own files beside the database.
[[nodiscard]] std::filesystem::path canonical(const std::string& path);
/// file: URI for sqlite3_open_v2; with `mode_of`, a new database gets the mode of that file.
[[nodiscard]] std::string uri_of(const std::filesystem::path& path, const std::filesystem::path& mode_of = {});

}  // namespace fermata::sqlite
