#include "complete.hpp"

#include <fermata/base/text.hpp>
#include <fermata/runtime/pause_points.hpp>

#include <algorithm>

#include "command.hpp"
#include "job_source.hpp"

namespace fermata::cli {

namespace {

using Words = std::vector<std::string>;

constexpr std::int64_t most_executions = 30;

Words executions(Session& session) {
    Words words{"@latest"};
    for (const auto& execution : session.repository().find_executions({.limit = most_executions}))
        words.push_back(std::to_string(execution.id.value()));
    for (const auto& job : session.repository().job_names()) words.push_back(job + "@latest");
    return words;
}

Words running_steps(Session& session) {
    Words words;
    for (const auto& execution : session.repository().find_executions(
             {.statuses = {BatchStatus::started, BatchStatus::pausing}, .limit = most_executions}))
        for (const auto& step : session.repository().steps_of(execution.id))
            if (step.status == BatchStatus::started && std::ranges::find(words, step.name) == words.end())
                words.push_back(step.name);
    return words;
}

/// Of the execution that is named last before.
Words steps(Session& session, const Words& before) {
    Words words;
    for (const auto& step : session.repository().steps_of(session.resolve({.text = before.back()})))
        words.push_back(step.name);
    return words;
}

/// Of the execution that is named first: where it waits; if it does not, where it is known to pause.
Words points(Session& session, const Words& positionals) {
    if (positionals.empty()) return {};
    const JobExecution execution = session.execution(session.resolve({.text = positionals.front()}));
    Words words;
    for (const Pause& pause : execution.waits)
        if (std::ranges::find(words, pause.what.point) == words.end()) words.push_back(pause.what.point);
    if (!words.empty()) return words;
    return pause_points(stored_definition(session, execution), session.registry(), execution.parameters,
                        session.system_properties());
}

Words jobs(Session& session) {
    Words words;
    for (const auto& file : jobs_in_folder(session))
        if (file.job) words.push_back(file.job->id);
    return words;
}

Words artifacts(const Registry& registry) {
    Words words;
    for (const auto* entry : registry.all()) words.push_back(entry->name);
    return words;
}

Words values_of(Session& session, const Option& option, const Words& before, const Words& positionals) {
    switch (option.completes) {
        case Completes::execution:
            return executions(session);
        case Completes::running_step:
            return running_steps(session);
        case Completes::step:
            return steps(session, before);
        case Completes::point:
            return points(session, positionals);
        case Completes::job:
            return session.settings().get("jobs").value.empty() ? Words{"__files"} : jobs(session);
        case Completes::recorded_job:
            return session.repository().job_names();
        case Completes::file:
            return {"__files"};
        case Completes::artifact:
            return artifacts(session.registry());
        case Completes::choice:
            return option.choices;
        case Completes::nothing:
            return {};
    }
    return {};
}

bool is_named(const Option& option, std::string_view word) {
    const auto names = split(option.names, ',');
    return std::find(names.begin(), names.end(), word) != names.end();
}

/// The option whose value comes next, if `word` is one.
const Option* expecting(const Options& options, const std::string& word) {
    for (const auto& option : options.all())
        if (!option.is_flag() && !option.is_positional() && is_named(option, word)) return &option;
    return nullptr;
}

const Option* positional(const Options& options, std::size_t index) {
    const Option* last = nullptr;
    for (const auto& option : options.all()) {
        if (!option.is_positional()) continue;
        last = &option;
        if (index == 0 || option.repeatable) return last;
        --index;
    }
    return nullptr;
}

Words option_names(const Options& own, const Options& global) {
    Words names;
    for (const auto* options : {&own, &global})
        for (const auto& option : options->all())
            if (!option.is_positional())
                for (auto& name : split(option.names, ',')) names.push_back(std::move(name));
    names.emplace_back("--help");
    return names;
}

Words verbs() {
    Words names;
    for (const auto* descriptor : descriptors())
        if (!descriptor->group.empty()) names.emplace_back(descriptor->name);
    return names;
}

/// All candidates for the place after `before`.
Words candidates(Session& session, const Words& before, bool wants_option, const Options& global) {
    Options own;
    std::unique_ptr<Command> command;
    Words positionals;
    const Option* open = nullptr;  // its value comes next
    for (const auto& word : before) {
        if (open != nullptr) {
            open = nullptr;
        } else if (word.starts_with('-')) {
            open = expecting(own, word);
            if (open == nullptr) open = expecting(global, word);
        } else if (command) {
            positionals.push_back(word);
        } else {
            for (const auto* descriptor : descriptors())
                if (descriptor->name == word) command = descriptor->make();
            if (!command) return {};
            command->describe(own);
        }
    }
    if (open != nullptr) return values_of(session, *open, before, positionals);
    if (wants_option) return option_names(own, global);
    if (!command) return verbs();
    const Option* next = positional(own, positionals.size());
    return next == nullptr ? Words{} : values_of(session, *next, before, positionals);
}

}  // namespace

std::vector<std::string> completions(Session& session, const Words& words, const Options& global) {
    const std::string last = words.empty() ? std::string{} : words.back();
    const Words before(words.begin(), words.empty() ? words.end() : words.end() - 1);
    Words found;
    try {
        for (auto& word : candidates(session, before, last.starts_with('-'), global))
            if (word == "__files" || word.starts_with(last)) found.push_back(std::move(word));
    } catch (const std::exception&) {
        found.clear();  // no repository, no jobs folder: nothing to offer
    }
    return found;
}

}  // namespace fermata::cli
