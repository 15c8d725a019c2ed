#include "artifact_check.hpp"

#include <fermata/runtime/job_operator.hpp>

namespace fermata {

Diagnostics validate(const JobDefinition& job, const Registry& registry, const std::optional<Parameters>& parameters,
                     const Parameters& system_properties) {
    if (!parameters) {
        Diagnostics found = check(job);
        check_artifacts(job, registry, found);
        found.sort();
        return found;
    }
    Resolution resolution = resolve(job, *parameters, system_properties);
    Diagnostics found = std::move(resolution.diagnostics);
    if (resolution.job)
        check_artifacts(*resolution.job, registry, found);
    else
        check_artifacts(job, registry, found);
    found.sort();
    return found;
}

}  // namespace fermata
