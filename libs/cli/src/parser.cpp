// Descriptors -> CLI11, the only place that knows it (a slow header). Traps of 2.1.2 that this file keeps away from the
// rest: everything from the first "--" is cut off before CLI11 sees it, and an option that may be repeated must not
// swallow the positionals behind it.
#include "parser.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <optional>

namespace fermata::cli {

namespace {

using Arguments = std::vector<std::string>;

std::vector<std::string> verbs() {
    std::vector<std::string> names;
    for (const auto* descriptor : descriptors())
        if (!descriptor->group.empty()) names.emplace_back(descriptor->name);
    return names;
}

const Descriptor* find_verb(std::string_view name) {
    for (const auto* descriptor : descriptors())
        if (descriptor->name == name) return descriptor;
    return nullptr;
}

bool takes_a_value(std::string_view word, const Options& global) {
    return std::any_of(global.all().begin(), global.all().end(), [&](const Option& option) {
        const auto names = split(option.names, ',');
        return !option.is_flag() && std::find(names.begin(), names.end(), word) != names.end();
    });
}

/// Takes the verb out of `arguments`: the first word that is neither an option nor an option's value.
const Descriptor* take_verb(Arguments& arguments, const Options& global) {
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        if (word->starts_with('-')) {
            if (takes_a_value(*word, global) && ++word == arguments.end()) return nullptr;
            continue;
        }
        const auto* verb = find_verb(*word);
        if (verb == nullptr)
            throw Error(ErrorKind::usage,
                        fmt::format("unknown command \"{}\"{}", printable(*word), did_you_mean(*word, verbs())),
                        "fermata --help lists the commands");
        arguments.erase(word);
        return verb;
    }
    return nullptr;
}

bool is_same(std::string_view left, std::string_view right, bool in_any_case) {
    const auto lower = [](unsigned char c) { return std::tolower(c); };
    return in_any_case ? std::ranges::equal(left, right, {}, lower, lower) : left == right;
}

/// What people write for several statuses, or for one that is none.
std::string remedy_for(const Option& option, const std::string& value) {
    if (!option.repeatable) return {};
    const auto words = split(value, ',');
    std::string line;
    for (const auto& word : words) line += fmt::format("{}{} {}", line.empty() ? "" : " ", option.names, trim(word));
    if (words.size() > 1) return "one of them each time: " + line;
    const auto advice = std::ranges::find_if(
        option.advice, [&](const auto& each) { return is_same(each.first, value, option.in_any_case); });
    return advice == option.advice.end() ? "" : advice->second;
}

void check_choice(const Option& option, const std::string& value) {
    const auto is_it = [&](const std::string& choice) { return is_same(choice, value, option.in_any_case); };
    if (option.choices.empty() || std::ranges::any_of(option.choices, is_it)) return;
    throw Error(ErrorKind::usage,
                fmt::format("\"{}\" is none of {}{}", printable(value), fmt::join(option.choices, ", "),
                            did_you_mean(value, option.choices)),
                remedy_for(option, value));
}

void check_given(const Option& option, const std::string& value) {
    if (option.needs.empty() || !value.empty()) return;
    throw Error(ErrorKind::usage, fmt::format("{} needs {}, and was given an empty one", option.names, option.needs),
                "is the variable it comes from set?");
}

void take(const Option& option, const Arguments& values) {
    for (const auto& value : values) {
        check_given(option, value);
        try {
            check_choice(option, value);
            option.set(value);
        } catch (const Error& error) {
            throw Error(error.kind(), fmt::format("{}: {}", option.names, error.what()), error.remedy());
        }
    }
}

void add(CLI::App& app, const Option& option) {
    if (option.is_flag()) {
        app.add_flag_callback(option.names, [&option] { option.set(""); });
        return;
    }
    auto* added = app.add_option(option.names, [&option](const CLI::results_t& values) {
        take(option, values);
        return true;
    });
    added->required(option.required);
    if (option.repeatable && option.is_positional()) {
        added->expected(option.required ? 1 : 0, CLI::detail::expected_max_vector_size)->allow_extra_args();
    } else if (option.repeatable) {
        added->expected(1)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll)->allow_extra_args(false);
    }
}

std::vector<std::string> option_names(const Options& options) {
    std::vector<std::string> names;
    for (const auto& option : options.all())
        if (!option.is_positional())
            for (auto& name : split(option.names, ',')) names.push_back(std::move(name));
    return names;
}

const Option* find_option(std::string_view name, const Options& options) {
    for (const Option& option : options.all()) {
        const auto names = split(option.names, ',');
        if (std::find(names.begin(), names.end(), name) != names.end()) return &option;
    }
    return nullptr;
}

/// The first word that looks like an option and is none. CLI11 would tell what it makes of the words behind it first.
std::optional<std::string> unknown_option(const Arguments& arguments, const Options& global, const Options& own) {
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        if (!word->starts_with('-') || *word == "-") continue;
        const std::string name = word->starts_with("--") ? word->substr(0, word->find('=')) : word->substr(0, 2);
        if (name == "--version") continue;
        const Option* option = find_option(name, own);
        if (option == nullptr) option = find_option(name, global);
        if (option == nullptr) return *word;
        const bool takes_next = !option->is_flag() && word->size() == name.size();
        if (takes_next && ++word == arguments.end()) break;
    }
    return std::nullopt;
}

[[noreturn]] void unexpected(const std::string& word, const Options& global, const Options& own,
                             std::string_view verb) {
    auto known = option_names(own);
    for (auto& name : option_names(global)) known.push_back(std::move(name));
    throw Error(ErrorKind::usage,
                word.starts_with('-') ? fmt::format("unknown option {}{}", printable(word), did_you_mean(word, known))
                                      : fmt::format("unexpected argument \"{}\"", printable(word)),
                verb.empty() ? "fermata --help" : fmt::format("fermata {} --help", verb));
}

/// The option at the end of the line, if its value is missing.
const Option* without_value(const Arguments& arguments, const Options& global, const Options& own) {
    for (auto word = arguments.begin(); word != arguments.end(); ++word) {
        const Option* option = word->starts_with('-') ? find_option(*word, own) : nullptr;
        if (option == nullptr && word->starts_with('-')) option = find_option(*word, global);
        if (option == nullptr || option->is_flag()) continue;
        if (++word == arguments.end()) return option;
    }
    return nullptr;
}

/// CLI11's own words, without its stop at the end.
std::string message_of(const CLI::ParseError& error) {
    std::string text = error.what();
    while (text.ends_with('.') || text.ends_with('\n')) text.pop_back();
    return text;
}

Arguments cut_rest(Arguments& arguments) {
    const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
    if (dashes == arguments.end()) return {};
    Arguments rest(dashes + 1, arguments.end());
    arguments.erase(dashes, arguments.end());
    return rest;
}

}  // namespace

Invocation parse(const Arguments& given, const Options& global) {
    Arguments arguments = given;
    const bool has_rest = std::find(given.begin(), given.end(), "--") != given.end();
    Arguments rest = cut_rest(arguments);
    Invocation invocation;
    invocation.descriptor = take_verb(arguments, global);

    CLI::App app;
    app.set_help_flag();
    app.add_flag("-h,--help", invocation.help);
    app.add_flag("--version", invocation.version);
    for (const auto& option : global.all()) add(app, option);
    Options own;
    std::string verb;
    if (invocation.descriptor != nullptr) {
        verb = invocation.descriptor->name;
        invocation.command = invocation.descriptor->make();
        invocation.command->describe(own);
        invocation.command->rest = std::move(rest);
        for (const auto& option : own.all()) add(app, option);
        if (has_rest && !invocation.descriptor->takes_rest)
            throw Error(ErrorKind::usage, fmt::format("{} takes nothing behind --", verb));
    }
    if (std::any_of(arguments.begin(), arguments.end(), [](auto& word) { return word == "-h" || word == "--help"; })) {
        invocation.help = true;
        return invocation;
    }
    if (const auto word = unknown_option(arguments, global, own)) unexpected(*word, global, own, verb);
    app.allow_extras();
    const Arguments typed = arguments;
    try {
        std::reverse(arguments.begin(), arguments.end());
        app.parse(arguments);
    } catch (const CLI::ParseError& error) {
        if (!app.remaining(true).empty()) unexpected(app.remaining(true).front(), global, own, verb);
        const Option* lacking = without_value(typed, global, own);
        throw Error(ErrorKind::usage,
                    lacking != nullptr ? fmt::format("{} needs {}", lacking->names, lacking->value) : message_of(error),
                    verb.empty() ? "fermata --help" : fmt::format("fermata {} --help", verb));
    }
    if (!app.remaining(true).empty()) unexpected(app.remaining(true).front(), global, own, verb);
    return invocation;
}

}  // namespace fermata::cli
