// Batchlets that tell what their contexts say.
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fmt/format.h>

namespace fermata::tck {
namespace {

class TellJobContext : Artifact {
public:
    explicit TellJobContext(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(fmt::format("JobName={};JobInstanceId={};JobExecutionId={}", job().job_name,
                                        job().instance_id.value(), job().execution_id.value()));
        return "";
    }
};

class TellStepContext : Artifact {
public:
    explicit TellStepContext(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(
            fmt::format("StepName={};StepExecutionId={}", step().step_name, step().step_execution_id.value()));
        return "";
    }
};

class TellJobName : Artifact {
public:
    explicit TellJobName(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(job().job_name);
        return "";
    }
};

class TellStepName : Artifact {
public:
    explicit TellStepName(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(step().step_name);
        return "";
    }
};

/// "foo=bar,me=too": sorted by name.
std::string listed(const Properties& properties) {
    std::map<std::string, std::string> sorted;
    for (const ResolvedProperty& property : properties.all()) sorted[property.name] = property.value.str();
    std::string list;
    for (const auto& [name, value] : sorted) list += fmt::format("{}{}={}", list.empty() ? "" : ",", name, value);
    return list;
}

class ListJobProperties : Artifact {
public:
    explicit ListJobProperties(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(listed(job().properties));
        return "";
    }
};

class ListStepProperties : Artifact {
public:
    explicit ListStepProperties(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(listed(step().properties));
        return "";
    }
};

class TellJobProperty : Artifact {
public:
    explicit TellJobProperty(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(job().properties.require<std::string>("foo"));
        return "";
    }
};

class TellStepProperty : Artifact {
public:
    explicit TellStepProperty(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status(step().properties.require<std::string>("foo"));
        return "";
    }
};

/// An exit status that is taken back leaves the default.
class NoJobPropertyInStepContext : Artifact {
public:
    explicit NoJobPropertyInStepContext(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        set_job_exit_status("a job property is in the step context");
        if (!step().properties.has("foo")) job().exit_status.reset();
        return "";
    }
};

}  // namespace

void add_context_batchlets(Registry& registry) {
    registry.batchlet<TellJobContext>("jobContextTestBatchlet");
    registry.batchlet<TellStepContext>("stepContextTestBatchlet");
    registry.batchlet<TellJobName>("contextsGetIdJobContextTestBatchlet");
    registry.batchlet<TellStepName>("contextsGetIdStepContextTestBatchlet");
    registry.batchlet<ListJobProperties>("jobLevelPropertiesCountBatchlet");
    registry.batchlet<TellJobProperty>("jobLevelPropertiesPropertyValueBatchlet");
    registry.batchlet<NoJobPropertyInStepContext>("jobLevelPropertiesShouldNotBeAvailableThroughStepContextBatchlet");
    registry.batchlet<ListStepProperties>("stepLevelPropertiesCountBatchlet");
    registry.batchlet<TellStepProperty>("stepLevelPropertiesPropertyValueBatchlet");
}

}  // namespace fermata::tck
