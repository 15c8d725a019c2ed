#include "../command.hpp"
#include "../local_time.hpp"
#include "../session.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Returns when the request is recorded. Chunk steps rest at the end of their chunk, commands and other batchlets run to
their end, and nothing new begins; then the execution is PAUSED, or COMPLETED if nothing is left to do: fermata wait ID
--for paused tells which. `fermata resume` withdraws the request as long as it has not taken effect. A script of a command
step pauses its own job behind the step:

  fermata pause "$FERMATA_EXECUTION_ID" --after-step --point approve --message "1,200 rows, 40 are expected"
)";

class PauseCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.flag("--after-step", options_.after_step, "Chunk steps that run go on to their end, too");
        options.value("--point", "NAME", options_.point, "What signals name (operator)").refuse_empty("a name");
        options.value("--message", "TEXT", options_.message, "For whoever is to decide");
        options.value("--timeout", "DURATION", options_.timeout, "It fails when nobody has answered by then");
        options.value("--on-timeout", "WHAT", on_timeout_, "What it does then instead: fail, stop or resume")
            .one_of({"fail", "stop", "resume"});
    }
    ExitCode run(Session& session) override {
        if (options_.timeout && *options_.timeout <= Duration{})
            throw Error(ErrorKind::usage, "--timeout: nobody can answer in no time", "such as --timeout 72h");
        if (on_timeout_ && !options_.timeout)
            throw Error(ErrorKind::usage, fmt::format("--on-timeout {} without --timeout", *on_timeout_),
                        "say when: --timeout 72h");
        if (on_timeout_) options_.on_timeout = parse_on_timeout(*on_timeout_).value_or(OnTimeout::fail);
        const JobExecutionId id = session.resolve(execution_);
        const PauseAnswer answer = session.jobs().pause(id, options_);
        session.out().one(
            fmt::format("{} is {}{}\n", id.value(), to_string(answer.status), what_follows(id, answer)),
            fmt::format(R"({{"id":{},"status":"{}","pause":{}}})", id.value(), to_string(answer.status), answer.epoch),
            std::to_string(id.value()));
        return ExitCode::ok;
    }

private:
    /// A request is not yet a pause: what ends before anything can rest has not paused.
    [[nodiscard]] std::string what_follows(JobExecutionId id, const PauseAnswer& answer) const {
        std::string text;
        if (answer.effect == PauseAnswer::Effect::already && answer.since)
            text = fmt::format(" since {}", local_time(*answer.since));
        if (answer.status != BatchStatus::pausing) return text;
        return text + fmt::format(
                          ": PAUSED {}, or COMPLETED if nothing is left to do then; to wait for it: fermata "
                          "wait {} --for paused",
                          options_.after_step ? "when the steps that run have ended" : "when everything rests",
                          id.value());
    }

    ExecutionRef execution_;
    PauseOptions options_;
    std::optional<std::string> on_timeout_;
};

}  // namespace

const Descriptor pause_command{.name = "pause",
                               .group = "Waiting",
                               .about = "Ask a running execution to rest and to wait for a resume",
                               .help = help,
                               .formats = one_object,
                               .make = make_command<PauseCommand>};

}  // namespace fermata::cli
