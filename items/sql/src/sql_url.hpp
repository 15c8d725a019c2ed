#pragma once
// The `url` property of the SQL artifacts.
#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>

#include <string>

namespace fermata {

/// Absolute, secrets revealed; so to be asked for at the moment of use and never kept, logged or shown. File paths are
/// below the instance's working directory. `url` empty: stays empty.
[[nodiscard]] std::string database_url(const StepContext& step, const std::string& url);
/// The same as it may be kept: references as written, no password.
[[nodiscard]] std::string recorded_url(const StepContext& step, const std::string& url);
/// As database_url, with the repository's own database where `url` is empty.
[[nodiscard]] std::string database_or_repository(const StepContext& step, const std::string& url);

/// A rule: that references in `url` lead somewhere here (Error(refused)) and stand where they are replaced.
void check_url(const Properties& properties);
[[nodiscard]] PropertyInfo url_info();
/// "a, b" as names; empty ones are an Error(invalid).
[[nodiscard]] std::vector<std::string> name_list(const Properties& properties, std::string_view property);

}  // namespace fermata
