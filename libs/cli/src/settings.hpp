#pragma once
// Settings and where each came from: /etc/fermata/fermata.toml < $XDG_CONFIG_HOME/fermata/config.toml < ./fermata.toml
// < FERMATA_* < flags. A file or folder that others may write to could make us run their jobs: refused.
#include <array>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata::cli {

struct Setting {
    std::string_view key;
    std::string_view about;
    std::string_view choices;  ///< "auto|tty"; empty = any text
    bool is_path = false;      ///< relative ones in a file mean the folder of that file
    std::string value;
    std::string origin;  ///< "default", "/etc/fermata/fermata.toml:3", "FERMATA_JOBS", "--repository"
};

class Settings {
public:
    Settings();
    /// All files there are, then the environment. Throws Error(invalid) for an unknown key or a value that is not
    /// allowed, with file:line and did-you-mean; Error(forbidden) for a file others may write.
    void load();
    /// Throws Error(usage) unless allowed.
    void set(std::string_view key, std::string value, std::string origin);

    [[nodiscard]] const Setting& get(std::string_view key) const;
    [[nodiscard]] const auto& all() const noexcept { return all_; }
    /// "sqlite:PATH", or a server's URL, or a reference as it is written. Throws Error(usage) naming --repository if
    /// there is no home folder to put the default in.
    [[nodiscard]] std::string repository_url() const;
    /// Where workers are rung for, or a reference as it is written; empty = nowhere.
    [[nodiscard]] const std::string& kafka_url() const { return get("kafka").value; }
    /// The folder of `fermata run JOB`. Throws Error(forbidden) if everybody may write to it.
    [[nodiscard]] std::filesystem::path jobs_folder() const;

    /// The files that are read, in order of rising precedence, whether they exist or not.
    [[nodiscard]] static std::vector<std::filesystem::path> files();

private:
    void load_file(const std::filesystem::path& path);
    void load_environment();
    Setting& find(std::string_view key);
    std::array<Setting, 5> all_;
};

/// PATH of "sqlite:PATH" or of a bare path; nothing for other schemes, and for references to secrets.
[[nodiscard]] std::optional<std::filesystem::path> sqlite_path(const std::string& url);
/// $XDG_STATE_HOME/fermata or ~/.local/state/fermata; nothing without a home.
[[nodiscard]] std::optional<std::filesystem::path> state_folder();

}  // namespace fermata::cli
