#include "../command.hpp"
#include "../counted.hpp"
#include "../local_time.hpp"
#include "../session.hpp"
#include "../sink_cleanup.hpp"
#include "../status_words.hpp"
#include "../terminal.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>
#include <fermata/base/text.hpp>
#include <fermata/runtime/step_log_path.hpp>

#include <cstdio>
#include <filesystem>
#include <map>
#include <set>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Deletes whole instances with all their executions, and their logs; what is running stays. All filters given must
match, and at least one is needed. Their rows of fermata_sink in other databases go too; a database that cannot be
opened is named, keeps its rows, and makes the exit code 1.

  fermata purge --older-than 90d --status completed --keep-last 10 --dry-run
)";

class PurgeCommand final : public Command {
public:
    void describe(Options& options) override {
        options.value("--older-than", "DURATION", age_, "Whose newest execution ended longer ago");
        options.value("--job", "JOB", job_, "Of this job").complete(Completes::recorded_job);
        takes_any_status(options.value("--status", "STATUS", statuses_, "Whose newest execution has this status"));
        options.value("--keep-last", "N", keep_, "But not the newest N of each job");
        options.flag("--dry-run", dry_run_, "Only tell what would go");
        options.flag("--yes", yes_, "Do not ask");
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] PurgeFilter filter(bool dry_run) const;
    void require_consent(Session& session) const;
    std::optional<Duration> age_;
    std::optional<std::string> job_;
    std::vector<BatchStatus> statuses_;
    std::optional<std::int64_t> keep_;
    bool dry_run_ = false;
    bool yes_ = false;
};

PurgeFilter PurgeCommand::filter(bool dry_run) const {
    if (!age_ && !job_ && statuses_.empty() && !keep_)
        throw Error(ErrorKind::usage, "purge: no filter given: this would delete everything",
                    "fermata purge --older-than 90d");
    PurgeFilter filter{.ended_before = {}, .job_name = job_, .statuses = statuses_, .keep_last = keep_};
    if (age_) filter.ended_before = Clock::system().now() - *age_;
    filter.dry_run = dry_run;
    return filter;
}

/// The newest execution of each instance stands for it.
std::map<JobInstanceId, JobExecution> instances_of(Session& session, const PurgeResult& result) {
    std::map<JobInstanceId, JobExecution> newest;
    for (const auto id : result.execution_ids)
        if (auto execution = session.repository().find_execution(id)) {
            const auto instance = execution->instance_id;
            auto [known, is_new] = newest.try_emplace(instance, *execution);
            if (!is_new && known->second.id < id) known->second = *std::move(execution);
        }
    return newest;
}

std::string listed(Session& session, const PurgeResult& result) {
    std::string text;
    for (const auto& [instance, execution] : instances_of(session, result))
        text += fmt::format("instance {}{}  {}  execution {}  {}  {}\n", instance.value(),
                            execution.instance_key ? fmt::format(" ({})", printable(*execution.instance_key)) : "",
                            printable(execution.job_name), execution.id.value(), to_string(execution.status),
                            local_time(execution.ended.value_or(execution.created)));
    for (const auto& [sink, uuids] : result.sinks)
        text += fmt::format("rows of {} in {} of {}\n", counted(std::ssize(uuids), "instance"), sink.table,
                            printable(sink.url));
    return text;
}

void remove_logs(Session& session, JobExecutionId execution) {
    std::error_code error;
    const auto folder = log_folder(session.data_folder(), execution);
    std::filesystem::remove_all(folder, error);
    if (error) Output::note(fmt::format("fermata: {} stays: {}", folder.string(), error.message()));
}

/// Executions that have logs here.
std::set<JobExecutionId> with_logs(Session& session) {
    std::set<JobExecutionId> found;
    std::error_code none;
    for (const auto& folder : std::filesystem::directory_iterator(session.data_folder() / "logs", none)) {
        if (const auto id = parse_int64(folder.path().filename().string())) found.emplace(*id);
    }
    return found;
}

/// Logs of executions that are not there: a purge that was killed has left them. What begins meanwhile is recorded
/// before it has logs.
void remove_logs_of_nobody(Session& session) {
    constexpr std::int64_t at_once = 1'000;
    std::set<JobExecutionId> left = with_logs(session);
    std::optional<JobExecutionId> before;
    while (!left.empty() && (!before || *left.begin() < *before)) {
        const auto page = session.repository().find_executions({.before = before, .limit = at_once});
        for (const JobExecution& each : page) left.erase(each.id);
        if (page.empty()) break;
        before = page.back().id;
    }
    for (const JobExecutionId id : left) remove_logs(session, id);
}

void PurgeCommand::require_consent(Session& session) const {
    if (yes_) return;
    if (!is_terminal(STDIN_FILENO))
        throw Error(ErrorKind::usage, "purge: nobody to ask", "--yes, or --dry-run to see how many");
    const PurgeResult would = session.repository().purge(filter(true));
    std::fprintf(stderr, "Delete %s with %s? [y/N] ", counted(would.instances, "instance").c_str(),
                 counted(would.executions, "execution").c_str());
    const int answer = std::getchar();
    if (answer != 'y' && answer != 'Y') throw Error(ErrorKind::refused, "purge: nothing was deleted");
}

std::string sentence(const PurgeResult& result, const SinkCleanup& cleanup, bool dry_run) {
    std::string text = fmt::format("{} {} with {}", dry_run ? "would delete" : "deleted",
                                   counted(result.instances, "instance"), counted(result.executions, "execution"));
    if (dry_run && !result.sinks.empty())
        text += fmt::format(", and their rows in {}", counted(std::ssize(result.sinks), "sink"));
    if (!dry_run && cleanup.rows > 0) text += fmt::format(", and {} in sinks", counted(cleanup.rows, "row"));
    return text + "\n";
}

std::string object(const PurgeResult& result, const SinkCleanup& cleanup, bool dry_run) {
    std::string left;
    for (const SinkLeft& sink : cleanup.left) left += (left.empty() ? "" : ",") + to_json(sink);
    std::vector<std::int64_t> ids;
    for (const auto id : result.execution_ids) ids.push_back(id.value());
    return fmt::format(R"({{"instances":{},"executions":{},"dry_run":{},"sinks":{},"sink_rows":{},"sinks_left":[{}],)"
                       R"("execution_ids":[{}]}})",
                       result.instances, result.executions, dry_run, result.sinks.size(), cleanup.rows, left,
                       fmt::join(ids, ","));
}

void warn(const SinkCleanup& cleanup) {
    for (const SinkLeft& left : cleanup.left)
        Output::note(fmt::format("fermata: rows of {} stay in {} of {}: {}",
                                 counted(static_cast<std::int64_t>(left.instances), "instance"), left.sink.table,
                                 left.sink.url, left.error));
}

ExitCode PurgeCommand::run(Session& session) {
    const PurgeFilter wanted = filter(dry_run_);
    if (!dry_run_) require_consent(session);
    const PurgeResult result = session.repository().purge(wanted);
    SinkCleanup cleanup;
    if (!dry_run_) {
        for (const JobExecutionId id : result.execution_ids) remove_logs(session, id);
        remove_logs_of_nobody(session);
        cleanup = remove_sink_rows(session.application().drivers, result);
    }
    warn(cleanup);
    const bool lists = dry_run_ && session.out().format() == Format::table;
    session.out().one((lists ? listed(session, result) : "") + sentence(result, cleanup, dry_run_),
                      object(result, cleanup, dry_run_), std::to_string(result.instances));
    return cleanup.left.empty() ? ExitCode::ok : ExitCode::failed;
}

}  // namespace

const Descriptor purge_command{.name = "purge",
                               .group = "Housekeeping",
                               .about = "Delete old instances with their executions and logs",
                               .help = help,
                               .formats = one_object,
                               .make = make_command<PurgeCommand>};

}  // namespace fermata::cli
