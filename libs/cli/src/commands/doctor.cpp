#include "../command.hpp"
#include "../counted.hpp"
#include "../job_source.hpp"
#include "../session.hpp"
#include "../shell_word.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <sys/stat.h>
#include <unistd.h>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <array>
#include <filesystem>
#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

namespace fs = std::filesystem;

struct Finding {
    enum class Level : std::uint8_t { ok, warn, fail };
    Level level = Level::ok;
    std::string text;
};
using Level = Finding::Level;

constexpr std::uintmax_t little_space = 256ULL << 20;

Finding look_at_repository(Session& session) {
    const auto database = session.database();
    if (!database->exists()) return {Level::warn, database->display_name() + " does not exist yet"};
    auto faults = database->integrity_check();
    if (faults.empty()) faults = session.repository().verify();
    if (!faults.empty()) return {Level::fail, faults.front()};
    return {Level::ok, database->display_name() + " is sound"};
}

/// The folder the repository is in, or the nearest above it that exists.
fs::path existing_folder(const Session& session) {
    fs::path folder = session.local_folder();
    while (!fs::exists(folder)) folder = folder.parent_path();
    return folder;
}

Finding look_at_folder(Session& session) {
    const fs::path folder = existing_folder(session);
    struct stat status{};
    if (::stat(folder.c_str(), &status) != 0 || ::access(folder.c_str(), W_OK | X_OK) != 0)
        return {Level::fail, folder.string() + " cannot be written to"};
    if ((status.st_mode & S_IWOTH) != 0 && (status.st_mode & S_ISVTX) == 0)
        return {Level::fail, folder.string() + " may be written by everybody"};
    return {Level::ok, folder.string()};
}

std::string name_of_user(uid_t user) {
    std::array<char, 4096> text{};
    passwd entry{};
    passwd* found = nullptr;
    ::getpwuid_r(user, &entry, text.data(), text.size(), &found);
    return found != nullptr ? found->pw_name : fmt::format("uid {}", user);
}

/// Nothing if it is ours, and for us alone, or is not there.
std::optional<Finding> look_at_rights(const fs::path& path) {
    struct stat facts{};
    if (::stat(path.c_str(), &facts) != 0) return std::nullopt;
    const std::string remedy =
        fmt::format("chmod {} {}", S_ISDIR(facts.st_mode) ? "700" : "600", shell_word(path.string()));
    const auto finding = [&](Level level, std::string_view who) {
        return Finding{level,
                       fmt::format("{} (mode {:04o}) {}: {}", path.string(), facts.st_mode & 07777U, who, remedy)};
    };
    if (facts.st_uid != ::geteuid())
        return Finding{Level::warn,
                       fmt::format("{} belongs to {}, who may change it", path.string(), name_of_user(facts.st_uid))};
    if ((facts.st_mode & S_IWOTH) != 0) return finding(Level::fail, "may be written by everybody");
    if ((facts.st_mode & S_IROTH) != 0) return finding(Level::warn, "may be read by everybody");
    if ((facts.st_mode & S_IWGRP) != 0) return finding(Level::warn, "may be written by its group");
    if ((facts.st_mode & S_IRGRP) != 0) return finding(Level::warn, "may be read by its group");
    return std::nullopt;
}

/// What lies beside the file, too: parameters, rows and what commands printed stand there.
Finding look_at_access(Session& session) {
    std::vector<fs::path> paths;
    if (const auto file = session.database_file()) {
        for (const char* suffix : {"", "-wal", "-shm", "-fermata.lock", ".d"})
            paths.push_back(fs::absolute(file->string() + suffix).lexically_normal());
    } else {
        paths.push_back(session.local_folder());
    }
    std::erase_if(paths, [](const fs::path& path) { return !fs::exists(path); });
    if (paths.empty()) return {Level::ok, "told once there is a repository"};
    Finding worst{Level::ok, "only we may read and write it"};
    for (const fs::path& path : paths) {
        const auto found = look_at_rights(path);
        if (!found || found->level < worst.level) continue;
        worst = {found->level, worst.level == found->level ? worst.text + "; " + found->text : found->text};
    }
    return worst;
}

Finding look_at_space(Session& session) {
    const auto space = fs::space(existing_folder(session));
    const auto mebibytes = space.available >> 20;
    return {space.available < little_space ? Level::warn : Level::ok, fmt::format("{} MiB free", mebibytes)};
}

/// A clock that went back makes times of new executions lie before those of older ones.
Finding look_at_clock(Session& session) {
    const auto now = Clock::system().now();
    if (session.database()->exists())
        if (const auto newest = session.repository().find_executions({.limit = 1});
            !newest.empty() && newest.front().created > now)
            return {Level::fail, fmt::format("{} is before execution {} was made, {}", to_rfc3339(now),
                                             newest.front().id.value(), to_rfc3339(newest.front().created))};
    return {Level::ok, to_rfc3339(now)};
}

std::string broken_names(const std::vector<JobFile>& files) {
    std::string names;
    for (const JobFile& file : files)
        if (!file.job) names += (names.empty() ? "" : ", ") + file.path.filename().string();
    return names;
}

Finding look_at_jobs_folder(Session& session) {
    if (session.settings().get("jobs").value.empty()) return {Level::ok, "no jobs folder is set"};
    const auto files = jobs_in_folder(session);
    const auto broken = std::ranges::count_if(files, [](const JobFile& file) { return !file.job; });
    std::string found = fmt::format("{}: {}", session.settings().jobs_folder().string(),
                                    counted(static_cast<std::int64_t>(files.size()) - broken, "job"));
    if (broken > 0) found += fmt::format("; {} no valid job: {}", broken, broken_names(files));
    const auto ambiguous = ambiguous_jobs(files);
    for (const auto& [job, paths] : ambiguous) found += "; " + ambiguity_text(job, paths);
    if (broken == 0 && ambiguous.empty()) return {Level::ok, found};
    return {Level::warn, found + "; fermata jobs tells more"};
}

Finding look_at_engine(Session& session) {
    if (!session.database()->exists()) return {Level::ok, "told once there is a repository"};
    const auto database = session.database();
    const bool is_file = database->dialect().engine == "sqlite";
    const auto version = database->connect(sql::OpenMode::read_only)
                             ->execute(is_file ? "SELECT 'SQLite ' || sqlite_version()" : "SELECT version()");
    return {Level::ok, std::string(version[0][0].text())};
}

/// Runs `true` as a step would.
Finding look_at_guard(Session& session) {
    const auto* command = session.registry().find(ArtifactKind::batchlet, "command");
    if (command == nullptr) return {Level::ok, "this program has no `command`"};
    const Properties properties("doctor", "", {{.name = "command", .value = Text("true"), .at = {}}});
    const StopSignal stop;
    JobContext job;
    job.working_directory = "/";
    StepContext step;
    step.step_name = "doctor";
    step.job = &job;
    step.stop = &stop;
    command->make_batchlet({properties, &step, job})->process();
    return {Level::ok, "commands run, and are watched"};
}

using Look = Finding (*)(Session&);
struct Check {
    std::string_view about;
    Look look;
};
constexpr Check checks[] = {{"repository", look_at_repository}, {"access", look_at_access},
                            {"folder", look_at_folder},         {"space", look_at_space},
                            {"clock", look_at_clock},           {"jobs", look_at_jobs_folder},
                            {"engine", look_at_engine},         {"guard", look_at_guard}};

Finding performed(const Check& check, Session& session) {
    try {
        return check.look(session);
    } catch (const std::exception& error) {
        return {Level::fail, error.what()};
    }
}

std::string_view to_string(Level level) { return level == Level::ok ? "ok" : level == Level::warn ? "warn" : "fail"; }

Row row_of(const Check& check, const Finding& finding) {
    const nlohmann::ordered_json object{
        {"state", to_string(finding.level)}, {"check", check.about}, {"finding", finding.text}};
    return {.cells = {std::string(to_string(finding.level)), std::string(check.about), printable(finding.text, 2000)},
            .object = object.dump(),
            .name = std::string(check.about)};
}

constexpr std::string_view help = R"(Exit code 1 if one of the checks fails.
)";

class DoctorCommand final : public Command {
public:
    void describe(Options&) override {}
    ExitCode run(Session& session) override {
        ExitCode code = ExitCode::ok;
        std::vector<Row> rows;
        for (const Check& check : checks) {
            const Finding finding = performed(check, session);
            if (finding.level == Level::fail) code = ExitCode::failed;
            rows.push_back(row_of(check, finding));
        }
        session.out().rows({{"STATE"}, {"CHECK"}, {"FINDING"}}, rows);
        return code;
    }
};

}  // namespace

const Descriptor doctor_command{.name = "doctor",
                                .group = "Housekeeping",
                                .about = "Check that everything Fermata needs works here",
                                .help = help,
                                .formats = all_formats,
                                .make = make_command<DoctorCommand>};

}  // namespace fermata::cli
