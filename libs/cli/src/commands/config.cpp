#include "../command.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fermata/batch/properties.hpp>

#include <filesystem>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  show            the settings; with --origin, where each comes from
  path            the files that are read, later ones over earlier ones
  check           read them; exit code 9 if one is wrong

A setting is a line such as jobs = "/srv/jobs" in a file, FERMATA_JOBS in the environment, or --jobs; the later of
these wins.
)";

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
        for (const auto& setting : session.settings().all()) {
            const std::string value =
                setting.key == "repository" ? without_passwords(session.settings().repository_url()) : setting.value;
            session.out().write(origin_ ? fmt::format("{} = \"{}\"  # {}\n", setting.key, value, setting.origin)
                                        : fmt::format("{} = \"{}\"\n", setting.key, value));
        }
        return ExitCode::ok;
    }
    static ExitCode paths(Session& session) {
        for (const auto& file : Settings::files())
            session.out().write(
                fmt::format("{}{}\n", file.string(), std::filesystem::exists(file) ? "" : "  (absent)"));
        return ExitCode::ok;
    }
    /// Every verb reads them before it begins: here they were right. The folder is looked at when it is used.
    static ExitCode check(Session& session) {
        if (!session.settings().get("jobs").value.empty()) static_cast<void>(session.settings().jobs_folder());
        session.out().write("ok\n");
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
                                .make = make_command<ConfigCommand>};

}  // namespace fermata::cli
