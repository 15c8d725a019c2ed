#include "settings_file.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/file.hpp>

#define TOML_ENABLE_FORMATTERS 0
#include <toml++/toml.h>

#include <algorithm>

namespace fermata::cli {

namespace {

std::string place_of(const std::filesystem::path& path, const toml::source_region& region) {
    return fmt::format("{}:{}", path.string(), region.begin.line);
}

void collect(const toml::table& table, const std::string& prefix, const std::filesystem::path& path,
             std::vector<SettingEntry>& entries) {
    for (const auto& [name, node] : table) {
        const std::string key = prefix + std::string(name.str());
        if (const auto* inner = node.as_table()) {
            collect(*inner, key + ".", path, entries);
        } else if (const auto text = node.value_exact<std::string>()) {
            entries.push_back({key, *text, place_of(path, name.source())});
        } else {
            throw Error(ErrorKind::invalid, fmt::format("{}: \"{}\" must be text", place_of(path, name.source()), key),
                        "put the value between quotes");
        }
    }
}

}  // namespace

std::vector<SettingEntry> read_settings_file(const std::filesystem::path& path) {
    std::vector<SettingEntry> entries;
    try {
        collect(toml::parse(read_file(path)), "", path, entries);
    } catch (const toml::parse_error& error) {
        throw Error(ErrorKind::invalid, fmt::format("{}:{}:{}: {}", path.string(), error.source().begin.line,
                                                    error.source().begin.column, error.description()));
    }
    return entries;
}

}  // namespace fermata::cli
