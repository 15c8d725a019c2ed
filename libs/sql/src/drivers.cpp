#include <fermata/base/text.hpp>
#include <fermata/sql/sql.hpp>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace fermata::sql {

void Drivers::add(std::string scheme, Factory factory) {
    factories_.emplace_back(std::move(scheme), std::move(factory));
}

std::vector<std::string> Drivers::schemes() const {
    std::vector<std::string> names;
    for (const auto& [scheme, factory] : factories_) names.push_back(scheme);
    return names;
}

std::unique_ptr<Database> Drivers::open(const std::string& url) const {
    const auto find = [&](std::string_view scheme) {
        return std::ranges::find(factories_, scheme, [](const auto& entry) { return std::string_view(entry.first); });
    };
    const std::string scheme = url.substr(0, url.find(':'));
    if (scheme.size() != url.size()) {
        if (const auto driver = find(scheme); driver != factories_.end()) return driver->second(url);
    }
    const bool is_path = url.find("://") == std::string::npos;
    if (const auto sqlite = find("sqlite"); is_path && sqlite != factories_.end()) return sqlite->second(url);
    // Never the whole URL: it may hold a password.
    throw Error(
        ErrorKind::usage,
        fmt::format("no database driver for \"{}\"{}", is_path ? printable(url) : printable(scheme + "://"),
                    did_you_mean(scheme, schemes())),
        fmt::format("databases are given as {}:… or, for SQLite, as the path of a file", fmt::join(schemes(), ":…, ")));
}

}  // namespace fermata::sql
