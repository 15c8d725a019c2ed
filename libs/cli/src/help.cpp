#include "help.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

std::string left_column(const Option& option) {
    std::string text = option.names;
    if (const auto comma = text.find(','); comma != std::string::npos) text.replace(comma, 1, ", ");
    if (option.is_positional()) return text + (option.repeatable ? "…" : "");
    return option.value.empty() ? text : text + " " + option.value;
}

std::string table_of(const std::vector<std::pair<std::string, std::string>>& lines) {
    std::size_t width = 0;
    for (const auto& [left, right] : lines) width = std::max(width, left.size());
    std::string text;
    for (const auto& [left, right] : lines) text += fmt::format("  {:<{}}  {}\n", left, width, right);
    return text;
}

std::string options_text(const Options& options, bool positionals) {
    std::vector<std::pair<std::string, std::string>> lines;
    for (const auto& option : options.all())
        if (option.is_positional() == positionals)
            lines.emplace_back(left_column(option),
                               option.about + (option.repeatable && !positionals ? "; repeatable" : ""));
    return table_of(lines);
}

std::string usage_line(const Descriptor& descriptor, const Options& own) {
    std::string line = fmt::format("fermata {}", descriptor.name);
    for (const auto& option : own.all()) {
        if (!option.is_positional()) continue;
        const std::string name = option.names + (option.repeatable ? "…" : "");
        line += option.required ? " " + name : " [" + name + "]";
    }
    const bool any =
        std::any_of(own.all().begin(), own.all().end(), [](auto& option) { return !option.is_positional(); });
    return line + (any ? " [options]" : "") + (descriptor.takes_rest ? " -- COMMAND…" : "") + "\n";
}

}  // namespace

std::string help_of_all(const Options& global) {
    std::string text = "fermata: batch jobs that can wait\n\nusage: fermata COMMAND [options]\n";
    std::string_view group;
    std::vector<std::pair<std::string, std::string>> lines;
    const auto flush = [&] {
        if (!lines.empty()) text += fmt::format("\n{}\n{}", group, table_of(lines));
        lines.clear();
    };
    for (const auto* descriptor : descriptors()) {
        if (descriptor->group.empty()) continue;
        if (descriptor->group != group) flush();
        group = descriptor->group;
        lines.emplace_back(descriptor->name, descriptor->about);
    }
    flush();
    return text + "\nEverywhere\n" + options_text(global, false) +
           "\nfermata COMMAND --help tells more. An execution is a number, @latest or JOB@latest.\n"
           "Exit codes: 0 COMPLETED, 1 FAILED, 2 usage, 3 timed out, 4 stale, 5 refused, 6 not found, 7 forbidden,\n"
           "8 conflict, 9 invalid job or parameters, 10 STOPPED, 11 PAUSED, 12 ABANDONED, 13 no repository,\n"
           "130 interrupted.\n";
}

std::string help_of(const Descriptor& descriptor, const Options& own, const Options& global) {
    std::string text = fmt::format("{}\n\nusage: {}", descriptor.about, usage_line(descriptor, own));
    if (const auto positionals = options_text(own, true); !positionals.empty()) text += "\n" + positionals;
    if (const auto options = options_text(own, false); !options.empty()) text += "\nOptions\n" + options;
    if (!descriptor.help.empty()) text += fmt::format("\n{}", descriptor.help);
    return text + "\nEverywhere\n" + options_text(global, false);
}

}  // namespace fermata::cli
