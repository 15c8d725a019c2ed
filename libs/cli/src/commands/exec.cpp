#include "../command.hpp"
#include "../foreground.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <filesystem>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(A job of one step around a command: history, log, time limit, retries. Each attempt is an execution of the same
instance. What the command writes goes to stderr, and is kept: fermata logs ID.

Exit code 0 if the command ended with 0, 3 if the last attempt ran into --limit, else 1; the command's own code is told
with the error.

  fermata exec -- rsync -a /data backup:/data
  fermata exec --name nightly-dump --retry 3 --backoff 1m --limit 2h -- pg_dump -f dump.sql
)";

/// A word of the `command` property, which is split as a shell would.
std::string quoted(const std::string& word) {
    std::string text = "'";
    for (const char c : word) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return text + "'";
}

class ExecCommand final : public Command {
public:
    void describe(Options& options) override {
        options.value("--name", "NAME", name_, "Name of the job; the command's own by default").refuse_empty("a name");
        options.value("--retry", "N", retries_, "Attempts after the first when it fails (0)");
        options.value("--backoff", "DURATION", backoff_, "Wait before each of them (1s)");
        options.value("--limit", "DURATION", limit_, "Ends the command after this long: exit code 3");
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] JobDefinition definition() const;
    std::optional<std::string> name_;
    std::int64_t retries_ = 0;
    Duration backoff_{std::chrono::seconds(1)};
    std::optional<Duration> limit_;
};

JobDefinition ExecCommand::definition() const {
    std::string words;
    for (const auto& word : rest) words += (words.empty() ? "" : " ") + quoted(word);
    ArtifactDefinition batchlet{.ref = Template::literal("command"), .properties = {}, .at = {}};
    batchlet.properties.push_back({.name = "command", .value = Template::literal(words), .at = {}});
    if (limit_) {
        const auto limit = std::chrono::ceil<std::chrono::milliseconds>(*limit_);
        batchlet.properties.push_back(
            {.name = "timeout", .value = Template::literal(fmt::format("{}ms", limit.count())), .at = {}});
    }
    StepDefinition step;
    step.work = BatchletDefinition{std::move(batchlet)};
    JobDefinition job;
    job.id = name_.value_or(std::filesystem::path(rest.front()).filename().string());
    step.id = job.id;
    job.elements.emplace_back(std::move(step));
    return job;
}

bool ran_into_limit(const JobExecution& execution) {
    return execution.failure && execution.failure->error_class == "fermata.ChildTimeout";
}

ExitCode ExecCommand::run(Session& session) {
    if (rest.empty())
        throw Error(ErrorKind::usage, "exec: no command given", "fermata exec [options] -- COMMAND [ARGUMENT…]");
    session.repository(IfAbsent::create);
    Foreground foreground(session);
    const JobDefinition job = definition();
    JobExecution ended = foreground.follow(session.jobs().start(job, {}), job.id);
    for (auto left = retries_; left > 0 && ended.status == BatchStatus::failed; --left) {
        Output::note(fmt::format("fermata: trying again in {}, {} left", to_human(backoff_), left));
        if (!foreground.pause(backoff_)) return ExitCode::interrupted;
        ended = foreground.follow(session.jobs().restart(ended.id, {}), job.id);
    }
    const ExitCode code = foreground.conclude(ended);
    return code == ExitCode::failed && ran_into_limit(ended) ? ExitCode::timed_out : code;
}

}  // namespace

const Descriptor exec_command{.name = "exec",
                              .group = "Running",
                              .about = "Run a command as a one-step job",
                              .help = help,
                              .takes_rest = true,
                              .formats = one_object,
                              .make = make_command<ExecCommand>};

}  // namespace fermata::cli
