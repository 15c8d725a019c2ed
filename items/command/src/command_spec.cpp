#include "command_spec.hpp"

#include "signal_text.hpp"
#include "words.hpp"

#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <map>

namespace fermata {
namespace {

constexpr std::string_view variable_prefix = "env.";

std::vector<std::string> shell_words(const Properties& properties, const Text& command) {
    if (!command.values().empty())
        throw properties.wrong("command", "is run by a shell, so it must not contain expressions",
                               "use \"$FERMATA_PARAM_<NAME>\" in it, or leave shell out");
    return {"/bin/sh", "-c", command.str()};
}

std::vector<std::string> plain_words(const Properties& properties, const Text& command) {
    std::vector<std::string> words;
    try {
        words = split_words(command);
    } catch (const Error& error) {
        throw properties.wrong("command", error.what(), error.remedy());
    }
    if (words.empty() || words.front().empty()) throw properties.wrong("command", "names no program");
    return words;
}

std::string variable_name(const Properties& properties, const std::string& property) {
    std::string name = property.substr(variable_prefix.size());
    if (name.empty() || name.find('=') != std::string::npos)
        throw properties.wrong(property, "is no name of an environment variable", "write env.NAME");
    return name;
}

std::vector<std::pair<std::string, std::string>> variables_of(const Properties& properties) {
    std::vector<std::pair<std::string, std::string>> variables;
    for (const ResolvedProperty& property : properties.all())
        if (property.name.starts_with(variable_prefix))
            variables.emplace_back(variable_name(properties, property.name), property.value.str());
    return variables;
}

/// A rule: @env: and @file: lead somewhere here.
void check_references(const Properties& properties) {
    for (const ResolvedProperty& property : properties.all()) {
        if (!property.name.starts_with(variable_prefix)) continue;
        try {
            (void)reveal_secret(property.value.str());
        } catch (const Error& error) {
            throw Error(error.kind(), properties.wrong(property.name, error.what()).what(), error.remedy());
        }
    }
}

std::string parameter_variable(std::string_view parameter) {
    std::string name = "FERMATA_PARAM_";
    for (const char c : parameter) {
        const bool plain = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
        name.push_back(plain ? c : '_');
    }
    return name;
}

std::map<std::string, std::string> our_environment() {
    std::map<std::string, std::string> result;
    for (char** entry = environ; *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) result.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return result;
}

}  // namespace

CommandSpec::CommandSpec(const Properties& properties) {
    const Text command = properties.require<Text>("command");
    const bool shell = properties.get("shell", false);
    argv_ = shell ? shell_words(properties, command) : plain_words(properties, command);
    program_ = shell ? command.str() : argv_.front();
    workdir_ = properties.get<std::string>("workdir", "");
    variables_ = variables_of(properties);
}

std::vector<PropertyRule> CommandSpec::rules() {
    return {[](const Properties& properties) { (void)CommandSpec(properties); }, reads_as<bool>("shell"), variables_of,
            check_references};
}

ChildPlan CommandSpec::plan(const StepContext& step) const {
    ChildPlan plan;
    plan.argv = argv_;
    plan.environment = environment(step);
    plan.folder = step.resolve_path(workdir_);
    plan.owner_fd = step.owner_fd;
    return plan;
}

std::vector<std::string> CommandSpec::environment(const StepContext& step) const {
    std::map<std::string, std::string> variables = our_environment();
    variables["FERMATA_REPOSITORY"] = step.job->repository_url;
    variables["FERMATA_JOB"] = step.job->job_name;
    variables["FERMATA_EXECUTION_ID"] = std::to_string(step.job->execution_id.value());
    variables["FERMATA_INSTANCE_ID"] = std::to_string(step.job->instance_id.value());
    variables["FERMATA_STEP"] = step.step_name;
    variables["FERMATA_STEP_EXECUTION_ID"] = std::to_string(step.step_execution_id.value());
    variables["FERMATA_SIGNALS"] = write_signals(step).string();
    variables["FERMATA_SIGNAL_COUNT"] = std::to_string(step.signal_count());
    if (step.partition) variables["FERMATA_PARTITION"] = std::to_string(*step.partition);
    for (const auto& [name, value] : step.job->parameters) variables[parameter_variable(name)] = value;
    for (const auto& [name, value] : variables_) variables[name] = reveal_secret(value);
    std::vector<std::string> result;
    result.reserve(variables.size());
    for (const auto& [name, value] : variables) result.push_back(fmt::format("{}={}", name, value));
    return result;
}

std::vector<PropertyInfo> CommandSpec::property_infos() {
    return {
        {.name = "command",
         .type = "command",
         .required = true,
         .about = "Program and arguments, split into words as a shell would before values are put in; a value never "
                  "makes, ends or quotes a word"},
        {.name = "shell",
         .type = "true|false",
         .default_value = "false",
         .about = "Run by /bin/sh -c; command must then be without expressions, parameters are in the environment "
                  "as FERMATA_PARAM_<NAME>"},
        {.name = "workdir", .type = "path", .about = "Folder to run in; default: the instance's working directory"},
        {.name = "env.*",
         .type = "text",
         .about = "An environment variable of the command; @env:NAME and @file:PATH give their value"},
    };
}

bool CommandSpec::is_own(std::string_view property) {
    if (property.starts_with(variable_prefix)) return true;
    const std::vector<PropertyInfo> infos = property_infos();
    return std::ranges::find(infos, property, &PropertyInfo::name) != infos.end();
}

}  // namespace fermata
