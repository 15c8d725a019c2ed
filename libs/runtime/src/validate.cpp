#include "artifact_check.hpp"

#include <fermata/base/text.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <fmt/format.h>

#include <set>

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
        check_artifacts(*resolution.job, registry, &*parameters, found);
    else
        check_artifacts(job, registry, found);
    found.append(unused_parameters(job, registry, *parameters, system_properties));
    found.sort();
    return found;
}

Diagnostics passwords_in(const JobDefinition& job, const Parameters& parameters, const Parameters& system_properties) {
    const Resolution resolution = resolve(job, parameters, system_properties);
    Diagnostics found;
    if (resolution.job) check_passwords(*resolution.job, found);
    return found;
}

Diagnostics unused_parameters(const JobDefinition& job, const Registry& registry, const Parameters& given,
                              const Parameters& system_properties) {
    Diagnostics found;
    const Resolution resolution = resolve(job, given, system_properties);
    const auto asked = resolution.job ? parameters_of_artifacts(*resolution.job, registry) : std::vector<std::string>{};
    if (!asked) return found;
    std::set<std::string> used(asked->begin(), asked->end());
    for (const ParameterUse& use : parameters_of(job)) used.insert(use.name);
    std::vector<std::string> open;
    for (const std::string& name : used)
        if (!given.contains(name)) open.push_back(name);
    for (const auto& [name, value] : given) {
        if (used.contains(name)) continue;
        if (const std::string hint = did_you_mean(name, open); !hint.empty())
            found.warning(job.file, {},
                          fmt::format("parameter \"{}\" is used nowhere in the job{}", printable(name), hint));
    }
    return found;
}

}  // namespace fermata
