#include "../command.hpp"
#include "../json_text.hpp"
#include "../session.hpp"
#include "../shell_word.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include <filesystem>
#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  init            make the repository; harmless if it is there already
  migrate         bring its schema to the version of this program
  verify          check the file, and every rule of the store; exit code 1 if one is broken
  backup FILE     a consistent copy while others work
)";

std::string shown_url(const Session& session) { return without_passwords(session.settings().repository_url()); }

/// A server's database is there before anything is in it.
bool has_repository(sql::Database& database) {
    return database.exists() && !database.connect(sql::OpenMode::read_only)->columns_of("schema_version").empty();
}

void print(Session& session, std::string_view text, const nlohmann::ordered_json& object) {
    session.out().one(text, json_text(object), shown_url(session));
}

class DbCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ACTION", action_, "init, migrate, verify or backup")
            .require()
            .one_of({"init", "migrate", "verify", "backup"});
        options.positional("FILE", target_, "backup only: the copy, a new file").complete(Completes::file);
    }
    ExitCode run(Session& session) override {
        if (target_ && action_ != "backup")
            throw Error(ErrorKind::usage, fmt::format("db {} takes no FILE", action_), "fermata db --help");
        if (action_ == "init") return init(session);
        if (action_ == "migrate") return migrate(session);
        return action_ == "verify" ? verify(session) : backup(session);
    }

private:
    static ExitCode init(Session& session) {
        const bool existed = has_repository(*session.database());
        session.repository(IfAbsent::create);
        print(session, fmt::format("{} {}\n", existed ? "there is" : "made", shown_url(session)),
              {{"repository", shown_url(session)}, {"made", !existed}});
        return ExitCode::ok;
    }
    /// Opening refuses an older schema; none was ever released.
    static ExitCode migrate(Session& session) {
        session.repository();
        print(session, fmt::format("schema version {}: nothing to do\n", schema_version),
              {{"repository", shown_url(session)}, {"schema_version", schema_version}, {"migrated", false}});
        return ExitCode::ok;
    }
    static ExitCode verify(Session& session) {
        auto findings = session.database()->integrity_check();
        if (findings.empty()) findings = session.repository().verify();
        for (const auto& finding : findings) Output::note(finding);
        if (!findings.empty())
            throw Error(
                ErrorKind::failed,
                fmt::format("{} has {} fault{}", shown_url(session), findings.size(), findings.size() == 1 ? "" : "s"),
                "restore a backup, or keep the file and report the fault");
        print(session, fmt::format("{} is sound\n", shown_url(session)),
              {{"repository", shown_url(session)}, {"sound", true}});
        return ExitCode::ok;
    }
    ExitCode backup(Session& session) const {
        if (target_ && std::filesystem::exists(*target_))
            throw Error(ErrorKind::conflict, fmt::format("{} exists already", *target_), "name a new file");
        if (!target_) throw Error(ErrorKind::usage, "db backup: no FILE given", "fermata db backup FILE");
        const auto folder = std::filesystem::absolute(*target_).parent_path();
        if (!std::filesystem::is_directory(folder))
            throw Error(
                ErrorKind::not_found,
                fmt::format("db backup {}: there is no folder {}", printable(*target_), printable(folder.string())),
                "mkdir -p " + shell_word(folder.string()));
        session.repository();
        session.repository().database().backup_to(*target_);
        print(session, *target_ + "\n", {{"repository", shown_url(session)}, {"backup", *target_}});
        return ExitCode::ok;
    }

    std::string action_;
    std::optional<std::string> target_;
};

}  // namespace

const Descriptor db_command{.name = "db",
                            .group = "Housekeeping",
                            .about = "Make, migrate, verify or back up the repository",
                            .help = help,
                            .formats = one_object,
                            .make = make_command<DbCommand>};

}  // namespace fermata::cli
