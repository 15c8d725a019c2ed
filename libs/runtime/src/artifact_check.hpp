#pragma once
// The checks of references against the Registry, over a resolved job or over one that still has expressions.
#include <fermata/batch/registry.hpp>
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/job_definition.hpp>
#include <fermata/model/resolved_job.hpp>

namespace fermata {

/// Unknown artifacts, properties and exception classes, missing properties, rules that properties break, item types
/// that do not fit. What depends on an unresolved expression is not judged.
void check_artifacts(const JobDefinition& job, const Registry& registry, Diagnostics& diagnostics);
/// `given`: parameters that artifacts ask for by themselves and that are not there, too.
void check_artifacts(const ResolvedJob& job, const Registry& registry, const Parameters* given,
                     Diagnostics& diagnostics);

/// Passwords in plain text.
void check_passwords(const ResolvedJob& job, Diagnostics& diagnostics);

/// Points at which artifacts of steps pause, as far as their properties say.
[[nodiscard]] std::vector<std::string> pause_points_of_artifacts(const ResolvedJob& job, const Registry& registry);

/// Parameters that artifacts ask for by themselves, each once; nothing if an expression hides what one asks for.
[[nodiscard]] std::optional<std::vector<std::string>> parameters_of_artifacts(const ResolvedJob& job,
                                                                              const Registry& registry);

}  // namespace fermata
