#pragma once
// The `expression` decider: the first of its conditions that is true about the steps before it gives the answer.
#include "condition.hpp"

#include <fermata/batch/context.hpp>
#include <fermata/batch/partition.hpp>
#include <fermata/batch/registry.hpp>

#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata::record {

class ExpressionDecider : public Decider {
public:
    explicit ExpressionDecider(const ArtifactContext& context);
    /// Without a condition that is true: the property `otherwise`, else the exit status of the last step.
    std::string decide(std::span<const StepExecution> steps) override;

    [[nodiscard]] static ArtifactInfo info();
    static void check(const Properties& properties);

private:
    struct Rule {
        std::string answer;
        std::unique_ptr<Condition> when;
    };
    [[nodiscard]] static std::vector<Rule> rules_of(const Properties& properties);

    std::vector<Rule> rules_;
    std::optional<std::string> otherwise_;
};

}  // namespace fermata::record
