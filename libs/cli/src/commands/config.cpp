#include "../command.hpp"
#include "../json_text.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fermata/batch/properties.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  show            the settings; with --origin, where each comes from
  path            the files that are read, later ones over earlier ones
  check           read them; exit code 9 if one is wrong

A setting is a line such as jobs = "/srv/jobs" in a file, FERMATA_JOBS in the environment, or --jobs; the later of
these wins.
)";

std::string shown(const Session& session, const Setting& setting) {
    if (setting.key == "repository") return without_passwords(session.settings().repository_url());
    return setting.key == "kafka" ? without_passwords(setting.value) : setting.value;
}

class ConfigCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ACTION", action_, "show, path or check").require().one_of({"show", "path", "check"});
        options.flag("--origin", origin_, "show: where each comes from");
    }
    ExitCode run(Session& session) override {
        if (action_ == "show") return show(session);
        return action_ == "path" ? paths(session) : check(session);
    }

private:
    ExitCode show(Session& session) const {
        std::string text;
        std::vector<Row> rows;
        for (const auto& setting : session.settings().all()) {
            const std::string value = shown(session, setting);
            text += origin_ ? fmt::format("{} = \"{}\"  # {}\n", setting.key, value, setting.origin)
                            : fmt::format("{} = \"{}\"\n", setting.key, value);
            rows.push_back({.cells = {std::string(setting.key), value, setting.origin},
                            .object = json_text({{"key", setting.key}, {"value", value}, {"origin", setting.origin}}),
                            .name = std::string(setting.key)});
        }
        return print(session, text, {{"KEY"}, {"VALUE"}, {"ORIGIN"}}, rows);
    }
    static ExitCode paths(Session& session) {
        std::string text;
        std::vector<Row> rows;
        for (const auto& file : Settings::files()) {
            const bool present = std::filesystem::exists(file);
            text += fmt::format("{}{}\n", file.string(), present ? "" : "  (absent)");
            rows.push_back({.cells = {file.string(), present ? "true" : "false"},
                            .object = json_text({{"file", file.string()}, {"present", present}}),
                            .name = file.string()});
        }
        return print(session, text, {{"FILE"}, {"PRESENT"}}, rows);
    }
    /// Every verb reads them before it begins: here they were right. The folder is looked at when it is used.
    static ExitCode check(Session& session) {
        if (!session.settings().get("jobs").value.empty()) static_cast<void>(session.settings().jobs_folder());
        return print(session, "ok\n", {{"STATE"}}, {{.cells = {"ok"}, .object = R"({"state":"ok"})", .name = "ok"}});
    }
    static ExitCode print(Session& session, std::string_view text, const std::vector<Column>& columns,
                          const std::vector<Row>& rows) {
        if (session.out().format() == Format::table)
            session.out().write(text);
        else
            session.out().rows(columns, rows);
        return ExitCode::ok;
    }

    std::string action_;
    bool origin_ = false;
};

}  // namespace

const Descriptor config_command{.name = "config",
                                .group = "Housekeeping",
                                .about = "Settings: what they are, where they come from",
                                .help = help,
                                .formats = all_formats,
                                .make = make_command<ConfigCommand>};

}  // namespace fermata::cli
