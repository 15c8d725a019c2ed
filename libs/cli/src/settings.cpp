#include "settings.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include <algorithm>
#include <cstdlib>

#include "settings_file.hpp"

namespace fermata::cli {

namespace fs = std::filesystem;

namespace {

std::optional<std::string> environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr || *value == '\0') return std::nullopt;
    return value;
}

/// An XDG base folder; relative ones are to be ignored (XDG Base Directory Specification).
std::optional<fs::path> xdg_folder(const std::string& variable, std::string_view below_home) {
    if (const auto folder = environment(variable); folder && fs::path(*folder).is_absolute()) return fs::path(*folder);
    if (const auto home = environment("HOME")) return fs::path(*home) / below_home;
    return std::nullopt;
}

/// Whoever can change the file decides what we run.
void require_trusted(const fs::path& path, std::string_view what) {
    struct stat status{};
    if (::stat(path.c_str(), &status) != 0) return;
    if ((status.st_mode & S_IWOTH) != 0)
        throw Error(ErrorKind::forbidden, fmt::format("{} {} may be written by everybody", what, path.string()),
                    fmt::format("chmod o-w {}", path.string()));
    if (status.st_uid != 0 && status.st_uid != ::geteuid())
        throw Error(ErrorKind::forbidden, fmt::format("{} {} belongs to another user", what, path.string()),
                    "own it, or run in another folder");
}

void check_repository(const std::string& value, const std::string& origin) try {
    refuse_server_without_slashes(value);
} catch (const Error& error) {
    throw Error(origin.starts_with("--") ? ErrorKind::usage : ErrorKind::invalid,
                fmt::format("{}: {}", origin, error.what()), error.remedy());
}

std::string environment_name(std::string_view key) {
    std::string name = "FERMATA_";
    for (const char c : key) name += static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return name;
}

}  // namespace

std::optional<fs::path> state_folder() {
    auto folder = xdg_folder("XDG_STATE_HOME", ".local/state");
    if (folder) *folder /= "fermata";
    return folder;
}

std::optional<fs::path> sqlite_path(const std::string& url) {
    constexpr std::string_view scheme = "sqlite:";
    const bool named = url.starts_with(scheme);
    if (is_secret_reference(named ? std::string_view(url).substr(scheme.size()) : std::string_view(url)))
        return std::nullopt;
    if (named) return fs::path(url.substr(scheme.size()));
    if (url.find("://") != std::string::npos) return std::nullopt;
    return fs::path(url);
}

Settings::Settings()
    : all_{{
          {.key = "repository",
           .about = "where executions are kept: PATH, sqlite:PATH or a server's URL",
           .choices = {},
           .is_path = true},
          {.key = "jobs",
           .about = "folder of job definitions, for `run JOB` and `jobs`",
           .choices = {},
           .is_path = true},
          {.key = "kafka",
           .about = "what rings for workers: kafka://HOST:PORT[/TOPIC], or nothing",
           .choices = {},
           .value = {}},
          {.key = "progress", .about = "how progress is shown", .choices = "auto|tty|plain|none", .value = "auto"},
          {.key = "color", .about = "colours on a terminal", .choices = "auto|always|never", .value = "auto"},
      }} {
    for (auto& setting : all_) setting.origin = "default";
}

std::vector<fs::path> Settings::files() {
    std::vector<fs::path> files{"/etc/fermata/fermata.toml"};
    if (const auto folder = xdg_folder("XDG_CONFIG_HOME", ".config")) files.push_back(*folder / "fermata/config.toml");
    files.emplace_back("fermata.toml");
    return files;
}

void Settings::load() {
    for (const auto& file : files()) load_file(file);
    load_environment();
}

void Settings::load_file(const fs::path& path) {
    std::error_code error;
    if (!fs::exists(path, error)) return;
    require_trusted(path, "settings file");
    std::vector<std::string> known;
    for (const auto& setting : all_) known.emplace_back(setting.key);
    for (auto& entry : read_settings_file(path)) {
        if (std::find(known.begin(), known.end(), entry.key) == known.end())
            throw Error(ErrorKind::invalid,
                        fmt::format("{}: unknown setting \"{}\"{}", entry.place, printable(entry.key),
                                    did_you_mean(entry.key, known)),
                        "fermata config show lists the settings there are");
        Setting& setting = find(entry.key);
        if (entry.key == "repository") check_repository(entry.value, entry.place);  // before it is made a path
        if (setting.is_path && sqlite_path(entry.value) && sqlite_path(entry.value)->is_relative())
            entry.value = (fs::absolute(path).parent_path() / *sqlite_path(entry.value)).lexically_normal().string();
        set(entry.key, std::move(entry.value), std::move(entry.place));
    }
}

void Settings::load_environment() {
    for (const auto& setting : all_) {
        const std::string name = environment_name(setting.key);
        if (auto value = environment(name)) set(setting.key, *std::move(value), name);
    }
}

void Settings::set(std::string_view key, std::string value, std::string origin) {
    Setting& setting = find(key);
    const auto choices = split(setting.choices, '|');
    if (!setting.choices.empty() && std::find(choices.begin(), choices.end(), value) == choices.end())
        throw Error(origin.starts_with("--") ? ErrorKind::usage : ErrorKind::invalid,
                    fmt::format("{}: {}=\"{}\" is none of {}{}", origin, key, printable(value), setting.choices,
                                did_you_mean(value, choices)));
    if (setting.is_path && (value.empty() || value == "sqlite:"))
        throw Error(origin.starts_with("--") ? ErrorKind::usage : ErrorKind::invalid,
                    fmt::format("{}: \"{}\" names no {}", origin, value, key == "jobs" ? "folder" : "database"),
                    key == "jobs" ? "name a folder" : "name a file: sqlite:jobs.db");
    if (key == "repository") check_repository(value, origin);
    if (key == "kafka" && !value.empty() && !value.starts_with("kafka://") && !is_secret_reference(value))
        throw Error(origin.starts_with("--") ? ErrorKind::usage : ErrorKind::invalid,
                    fmt::format("{}: \"{}\" is no URL of Kafka", origin, printable(without_passwords(value))),
                    "kafka://HOST:9092[/TOPIC]");
    setting.value = std::move(value);
    setting.origin = std::move(origin);
}

Setting& Settings::find(std::string_view key) {
    return *std::find_if(all_.begin(), all_.end(), [&](const Setting& setting) { return setting.key == key; });
}

const Setting& Settings::get(std::string_view key) const { return const_cast<Settings*>(this)->find(key); }

std::string Settings::repository_url() const {
    if (const auto& setting = get("repository"); !setting.value.empty())
        return sqlite_path(setting.value) ? "sqlite:" + fs::absolute(*sqlite_path(setting.value)).string()
                                          : setting.value;
    const auto folder = state_folder();
    if (!folder)
        throw Error(ErrorKind::usage, "no home folder to keep executions in: neither XDG_STATE_HOME nor HOME is set",
                    "name a file: --repository sqlite:PATH");
    return "sqlite:" + (*folder / "fermata.db").string();
}

fs::path Settings::jobs_folder() const {
    fs::path folder = get("jobs").value;
    if (folder.empty())
        throw Error(ErrorKind::not_found, "no jobs folder is set",
                    "name a job file, or set `jobs` in fermata.toml or FERMATA_JOBS");
    if (!fs::is_directory(folder))
        throw Error(ErrorKind::not_found,
                    fmt::format("the jobs folder {} ({}) is no folder", folder.string(), get("jobs").origin));
    require_trusted(folder, "jobs folder");
    return folder;
}

}  // namespace fermata::cli
