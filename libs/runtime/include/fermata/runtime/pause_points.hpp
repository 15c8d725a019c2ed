#pragma once
// Where a job is known to pause.
#include <fermata/batch/registry.hpp>
#include <fermata/model/job_definition.hpp>

#include <string>
#include <vector>

namespace fermata {

/// Points of the job's pause elements, and those its artifacts' properties name. By name, each once; a step's own code
/// and `fermata pause` may name others. Empty if the job does not resolve.
[[nodiscard]] std::vector<std::string> pause_points(const JobDefinition& job, const Registry& registry,
                                                    const Parameters& given, const Parameters& system_properties);

}  // namespace fermata
