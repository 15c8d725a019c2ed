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
    /// If they have, what can be understood all the same, to look for more: attributes that are missing are empty, at
    /// no position. Absent if elements or ids are wrong, since what refers to them would seem wrong, too.
    std::optional<JobDefinition> sketch;
    Diagnostics diagnostics;
};

/// `file` is used in messages only.
[[nodiscard]] ParsedJob parse_job(std::string_view text, const std::string& file);
/// Throws Error(not_found); Error(forbidden) for an unreadable file; Error(invalid) for a folder or an over-large one.
[[nodiscard]] ParsedJob parse_job_file(const std::filesystem::path& path);

}  // namespace fermata
