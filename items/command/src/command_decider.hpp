#pragma once
// The `command` decider: its answer is what exit-codes says about the code a command ends with.
#include <fermata/batch/context.hpp>
#include <fermata/batch/partition.hpp>
#include <fermata/batch/registry.hpp>

namespace fermata {

class CommandDecider : public Decider {
public:
    explicit CommandDecider(const ArtifactContext& context);
    /// Throws ChildError if the code is not listed, or if it was stopped.
    std::string decide(std::span<const StepExecution> steps) override;

    [[nodiscard]] static ArtifactInfo info();

private:
    Properties properties_;
    StepContext& step_;
};

}  // namespace fermata
