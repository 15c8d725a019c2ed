// What Java injects into fields, constructors and methods, a C++ artifact takes from its ArtifactContext.
#include "../stage.hpp"
#include "artifact.hpp"
#include "artifacts.hpp"

#include <fermata/runtime/job_operator.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fermata::tck {
namespace {

/// Tells the property the stage asks for; one that is absent has the value its field was made with.
class WithProperties : Artifact {
public:
    explicit WithProperties(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        *stage().property_value.lock() = text(stage().property_name, "as initialised");
        return "VERY GOOD INVOCATION";
    }
};

class InjectedContexts : Artifact {
public:
    explicit InjectedContexts(const ArtifactContext& context) : Artifact(context), in_constructor_(context) {}
    std::string process() {
        set_job_exit_status(fmt::format("{0}:{1}:{2}:", in_constructor_.job.execution_id.value(),
                                        job().execution_id.value(), step().job->execution_id.value()));
        return fmt::format("{0}:{1}:{1}:", in_constructor_.step->step_execution_id.value(),
                           step().step_execution_id.value());
    }

private:
    ArtifactContext in_constructor_;
};

class InjectedProperties : Artifact {
public:
    explicit InjectedProperties(const ArtifactContext& context) : Artifact(context) {
        for (const char* name : {"c1", "c2", "f1", "f2", "m1", "m2"}) values_.push_back(text(name));
    }
    std::string process() {
        set_job_exit_status(fmt::format("{}", fmt::join(values_, ":")));
        return "";
    }

private:
    std::vector<std::string> values_;
};

class RepeatedProperties : Artifact {
public:
    explicit RepeatedProperties(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        std::vector<std::string> values;
        for (const char* name : {"prop1", "prop2", "prop1", "prop1", "prop2", "prop1", "prop1", "prop2", "prop1",
                                 "prop1", "prop1", "prop1"})
            values.push_back(text(name));
        set_job_exit_status(fmt::format("{}", fmt::join(values, ":")));
        return "";
    }
};

class TypedProperties {
public:
    explicit TypedProperties(const ArtifactContext& context)
        : job_(context.job),
          values_(fmt::format(
              "{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}:{}", context.properties.get<std::string>("stringProp", ""),
              context.properties.get("booleanProp1", false), context.properties.get("booleanProp2", false),
              context.properties.get("doubleProp1", 0.0), context.properties.get("doubleProp2", 0.0),
              context.properties.get("floatProp1", 0.0), context.properties.get("floatProp2", 0.0),
              context.properties.get("intProp1", 0), context.properties.get("intProp2", 0),
              context.properties.get<std::int64_t>("longProp1", 0),
              context.properties.get<std::int64_t>("longProp2", 0), context.properties.get("shortProp1", 0),
              context.properties.get("shortProp2", 0))) {}
    std::string process() {
        job_.exit_status = values_;
        return "";
    }

private:
    JobContext& job_;
    std::string values_;
};

/// Finds its own execution among the running ones.
class AsksOperator : Artifact {
public:
    explicit AsksOperator(const ArtifactContext& context) : Artifact(context) {}
    std::string process() {
        const auto running = stage().op->running_executions(job().job_name);
        if (std::ranges::find(running, job().execution_id) == running.end()) throw Unexpected("not among the running");
        set_job_exit_status(std::to_string(job().execution_id.value()));
        return "";
    }
};

/// As a bean's name, as a name of batch.xml, and as a class: here three names of one artifact.
template <class B>
void add_three_names(Registry& registry, const std::string& java_class) {
    std::string bean = java_class;
    bean[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(bean[0])));
    registry.batchlet<B>(java_class);
    registry.batchlet<B>(bean);
    registry.batchlet<B>("com.ibm.jbatch.tck.artifacts.cdi." + java_class);
}

}  // namespace

void add_property_batchlets(Registry& registry) {
    registry.batchlet<WithProperties>("myBatchletWithPropertiesImpl");
    add_three_names<InjectedContexts>(registry, "DependentScopedBatchletContexts");
    add_three_names<InjectedProperties>(registry, "DependentScopedBatchletProps");
    add_three_names<RepeatedProperties>(registry, "DependentScopedBatchletRepeatProps");
    add_three_names<TypedProperties>(registry, "DependentScopedBatchletPropsNonString");
    add_three_names<AsksOperator>(registry, "JobOperatorInjectedBatchlet");
}

}  // namespace fermata::tck
