#include "cast.hpp"
#include "map_processor.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fermata::record {
namespace {

std::vector<std::string> names(const Properties& properties, std::string_view property) {
    std::vector<std::string> found;
    for (const std::string& part : split(properties.get<std::string>(property, ""), ',')) {
        found.emplace_back(trim(part));
        if (found.back().empty() && properties.get<std::string>(property, "").empty()) return {};
        if (found.back().empty()) throw properties.wrong(property, "a column has no name");
        if (std::ranges::count(found, found.back()) > 1)
            throw properties.wrong(property, fmt::format("\"{}\" stands there twice", printable(found.back())));
    }
    return found;
}

/// "a=b,c=d"
std::vector<std::pair<std::string, std::string>> pairs(const Properties& properties, std::string_view property,
                                                       std::string_view form) {
    std::vector<std::pair<std::string, std::string>> found;
    for (const std::string& part : names(properties, property)) {
        const std::size_t equal = part.find('=');
        const std::string name(trim(std::string_view(part).substr(0, equal)));
        if (equal == std::string::npos || name.empty())
            throw properties.wrong(property, fmt::format("\"{}\" has not the form {}", printable(part), form));
        if (std::ranges::count(found, name, [](const auto& pair) { return pair.first; }) > 0)
            throw properties.wrong(property, fmt::format("\"{}\" stands there twice", printable(name)));
        found.emplace_back(name, trim(std::string_view(part).substr(equal + 1)));
    }
    return found;
}

void read_casts(MapOptions& options) {
    static const std::vector<std::string> types{"text", "integer", "real", "boolean"};
    for (const auto& [column, type] : pairs(options.properties, "cast", "column=type")) {
        const auto cast = parse_cast(type);
        if (!cast)
            throw options.properties.wrong("cast", fmt::format("\"{}\" is not text, integer, real or boolean{}",
                                                               printable(type), did_you_mean(type, types)));
        options.cast.emplace(column, *cast);
    }
}

void check_required(const MapOptions& options) {
    for (const std::string& name : options.required) {
        const bool kept = options.keep.empty() || std::ranges::find(options.keep, name) != options.keep.end();
        const bool dropped = std::ranges::find(options.drop, name) != options.drop.end();
        if (!kept || dropped)
            throw options.properties.wrong("required", fmt::format("\"{}\" is not kept", printable(name)),
                                           "keep it, or drop it in a later step");
    }
}

void check_defaults(const MapOptions& options) {
    Arena arena;
    for (const auto& [column, text] : options.defaults) {
        const auto cast = options.cast.find(column);
        if (cast != options.cast.end() && !converted(Value(std::string_view(text)), cast->second, arena))
            throw options.properties.wrong(
                "default", fmt::format(R"("{}" of column "{}" is not of type {})", printable(text), printable(column),
                                       to_string(cast->second)));
    }
}

}  // namespace

std::vector<PropertyRule> MapOptions::rules() {
    std::vector<PropertyRule> rules;
    for (const char* name : {"keep", "drop", "required"})
        rules.emplace_back([name](const Properties& properties) { (void)names(properties, name); });
    rules.emplace_back([](const Properties& properties) { (void)pairs(properties, "rename", "old=new"); });
    rules.emplace_back([](const Properties& properties) {
        MapOptions options;
        options.properties = properties;
        read_casts(options);
    });
    rules.emplace_back([](const Properties& properties) { (void)pairs(properties, "default", "column=value"); });
    rules.emplace_back(reads_as<bool>("trim"));
    rules.emplace_back(from);
    return rules;
}

MapOptions MapOptions::from(const Properties& properties) {
    MapOptions options;
    options.properties = properties;
    options.rename = pairs(properties, "rename", "old=new");
    read_casts(options);
    options.defaults = pairs(properties, "default", "column=value");
    options.keep = names(properties, "keep");
    options.drop = names(properties, "drop");
    options.required = names(properties, "required");
    options.trim = properties.get<bool>("trim", false);
    if (!options.keep.empty() && !options.drop.empty())
        throw properties.wrong("drop", "keep is given, too", "use one of them");
    check_required(options);
    check_defaults(options);
    return options;
}

}  // namespace fermata::record
