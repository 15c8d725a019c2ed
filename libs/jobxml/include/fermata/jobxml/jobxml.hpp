#pragma once
// Job XML text -> JobDefinition + diagnostics (Jakarta Batch §8, schema §13.2; namespaces of 1.0 and 2.x). Everything
// wrong is told at once, in document order. Refused: DOCTYPE, entities of the document's own, more than 64 levels, more
// than 8 MiB, bytes that are not the declared encoding. Unknown `fer:` elements and attributes are errors; other
// foreign namespaces are warnings.
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/job_definition.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

inline constexpr std::string_view fermata_namespace = "urn:fermata:job:1";

struct ParsedJob {
    std::optional<JobDefinition> job;  ///< present unless the diagnostics have errors
    Diagnostics diagnostics;
};

/// `file` is used in messages only.
[[nodiscard]] ParsedJob parse_job(std::string_view text, const std::string& file);
/// Throws Error(not_found) or IoError-like Error(invalid) for a folder, an unreadable or an over-large file.
[[nodiscard]] ParsedJob parse_job_file(const std::filesystem::path& path);

}  // namespace fermata
