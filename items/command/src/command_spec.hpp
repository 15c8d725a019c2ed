#pragma once
// The properties by which command and pipe say what to run, and the environment every command gets.
#include "guarded_child.hpp"

#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>

#include <string>
#include <string_view>
#include <vector>

namespace fermata {

class CommandSpec {
public:
    /// Reads command, shell, workdir and env.*. Throws Error(invalid) naming the property.
    explicit CommandSpec(const Properties& properties);

    /// Reveals secrets; so at the last moment, and only into the plan.
    [[nodiscard]] ChildPlan plan(const StepContext& step) const;
    /// The program, for messages.
    [[nodiscard]] const std::string& program() const noexcept { return program_; }

    [[nodiscard]] static std::vector<PropertyInfo> property_infos();
    [[nodiscard]] static std::vector<PropertyRule> rules();
    /// Whether the name is one of property_infos().
    [[nodiscard]] static bool is_own(std::string_view property);

private:
    std::vector<std::string> environment(const StepContext& step) const;

    std::vector<std::string> argv_;
    std::string program_;
    std::filesystem::path workdir_;
    std::vector<std::pair<std::string, std::string>> variables_;
};

}  // namespace fermata
