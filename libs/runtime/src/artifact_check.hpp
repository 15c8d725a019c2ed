#pragma once
// The checks of references against the Registry, over a resolved job or over one that still has expressions.
#include <fermata/batch/registry.hpp>
#include <fermata/model/diagnostic.hpp>
#include <fermata/model/job_definition.hpp>
#include <fermata/model/resolved_job.hpp>

namespace fermata {

/// Unknown artifacts, properties and exception classes, missing properties, item types that do not fit. What depends on
/// an unresolved expression is not judged.
void check_artifacts(const JobDefinition& job, const Registry& registry, Diagnostics& diagnostics);
void check_artifacts(const ResolvedJob& job, const Registry& registry, Diagnostics& diagnostics);

}  // namespace fermata
