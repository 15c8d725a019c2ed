#include "../command.hpp"
#include "../detach.hpp"
#include "../foreground.hpp"
#include "../job_arguments.hpp"
#include "../waits.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <fermata/base/text.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Makes a new instance each time. With --instance KEY the line may be repeated, from cron for example: what failed,
was stopped or lost its process goes on; what is complete stays so.

  fermata run nightly.xml -p date=2026-11-21
  fermata run nightly --instance 2026-11-21 --params night.json
)";

class RunCommand final : public Command {
public:
    void describe(Options& options) override {
        job_.describe(options);
        parameters_.describe(options);
        options.value("--instance", "KEY", key_, "Start, or go on with, the instance of this key");
        options.flag("--detach", detach_, "Print the id and go on in the background");
    }
    ExitCode run(Session& session) override;

private:
    /// The execution that runs here now; nothing if there is nothing to do.
    std::optional<JobExecutionId> begin(Session& session, const JobDefinition& job, const Parameters& parameters);
    std::optional<JobExecutionId> go_on(Session& session, const JobDefinition& job, const Parameters& parameters,
                                        const JobInstance& instance);

    JobArgument job_;
    ParameterArguments parameters_;
    std::optional<std::string> key_;
    bool detach_ = false;
    ExitCode settled_ = ExitCode::ok;  ///< if there is nothing to do
};

Error cannot_go_on(const std::string& key, const JobExecution& latest, std::string_view why) {
    return Error(ErrorKind::conflict,
                 fmt::format("instance \"{}\": execution {} {}", printable(key), latest.id.value(), why),
                 fmt::format("fermata show {}", latest.id.value()));
}

/// "date=2026-11-20 instead of 2026-11-21, region not given"
std::string differences(const Parameters& before, const Parameters& now) {
    std::vector<std::string> texts;
    for (const auto& [name, value] : before) {
        const auto found = now.find(name);
        if (found == now.end())
            texts.push_back(fmt::format("{}={}, and now it is not given", printable(name), printable(value)));
        else if (found->second != value)
            texts.push_back(
                fmt::format("{}={}, and now {}", printable(name), printable(value), printable(found->second)));
    }
    for (const auto& [name, value] : now)
        if (!before.contains(name))
            texts.push_back(fmt::format("no {}, and now {}", printable(name), printable(value)));
    return fmt::format("{}", fmt::join(texts, "; "));
}

ExitCode RunCommand::run(Session& session) {
    if (key_ && key_->empty())
        throw Error(ErrorKind::usage, "--instance needs a key, and was given an empty one",
                    "is the variable it comes from set?");
    const JobDefinition job = job_.load(session);
    const Parameters parameters = parameters_.parameters();
    const auto slips = unused_parameters(job, session.registry(), parameters, session.system_properties());
    for (const auto& finding : slips.all()) Output::note(to_string(finding));
    Detachment detachment;
    if (detach_)
        if (const auto code = detachment.split(session)) return *code;
    session.repository(IfAbsent::create);
    Foreground foreground(session);
    const auto execution = begin(session, job, parameters);
    if (!execution) return settled_;
    detachment.announce(session, *execution);
    return foreground.conclude(foreground.follow(*execution));
}

std::optional<JobExecutionId> RunCommand::begin(Session& session, const JobDefinition& job,
                                                const Parameters& parameters) {
    if (key_)
        if (const auto instance = session.repository().find_instance(job.id, *key_))
            return go_on(session, job, parameters, *instance);
    return session.jobs().start(job, {.parameters = parameters, .instance_key = key_, .working_directory = {}});
}

std::optional<JobExecutionId> RunCommand::go_on(Session& session, const JobDefinition& job,
                                                const Parameters& parameters, const JobInstance& instance) {
    const JobExecution latest = session.repository().find_executions({.instance = instance.id, .limit = 1}).front();
    if (latest.parameters != parameters)
        throw cannot_go_on(*key_, latest, "has other parameters: " + differences(latest.parameters, parameters));
    if (latest.status == BatchStatus::completed) {
        session.out().one(fmt::format("{} {}: already completed by execution {}\n", printable(job.id), printable(*key_),
                                      latest.id.value()),
                          fmt::format(R"({{"id":{},"already_completed":true}})", latest.id.value()),
                          std::to_string(latest.id.value()));
        return std::nullopt;
    }
    if (latest.status == BatchStatus::paused) {
        session.out().write(fmt::format("{} {}: execution {} is PAUSED\n{}", printable(job.id), printable(*key_),
                                        latest.id.value(), waits_lines(latest)));
        settled_ = ExitCode::paused;
        return std::nullopt;
    }
    if (latest.owner_lost) {
        session.jobs().recover(latest.id);
        return latest.id;
    }
    if (!is_restartable(latest.status))
        throw cannot_go_on(*key_, latest, fmt::format("is {}", to_string(latest.status)));
    RestartOptions options{.parameters = parameters};
    if (hash_of(job) != instance.definition_hash) {
        Output::note(fmt::format("fermata: {} has changed since execution {}; it goes on as the file says now",
                                 job_.text(), latest.id.value()));
        options.definition = job;
    }
    return session.jobs().restart(latest.id, options);
}

}  // namespace

const Descriptor run_command{.name = "run",
                             .group = "Running",
                             .about = "Run a job here, in the foreground; the exit code tells its outcome",
                             .help = help,
                             .formats = one_object,
                             .make = make_command<RunCommand>};

}  // namespace fermata::cli
