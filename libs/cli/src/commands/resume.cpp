#include "../command.hpp"
#include "../execution_view.hpp"
#include "../foreground.hpp"
#include "../submission.hpp"
#include "../waits.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Completes what the execution waits for and runs it here: the same execution and the same step executions go on. Of
several that resume one pause at the same time one runs it; the others end with exit code 8 and are told who was first.
Before a requested pause has taken effect, it is withdrawn. What waits for a worker is taken here.

  fermata resume 12 --data '{"by":"ann"}'     the step entered next finds it in $FERMATA_SIGNALS
  fermata resume 12 --point approve           only what waits there
  fermata resume 12 --pause 1                 not if it has gone on meanwhile, and waits at its second pause
)";

class ResumeCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.value("--point", "NAME", point_, "Only the pauses at this point")
            .refuse_empty("a name")
            .complete(Completes::point);
        options.value("--pause", "N", pause_, "Only while this is its newest pause, as fermata show names it");
        options.value("--data", "JSON|@FILE", data_, "For the step entered next");
        options.flag("--detach", detach_, "Let a worker run it, and print the id");
    }
    ExitCode run(Session& session) override;

private:
    static ExitCode tell(Session& session, JobExecutionId id, std::string_view what);
    ExecutionRef execution_;
    std::optional<std::string> point_;
    std::optional<std::int64_t> pause_;
    std::optional<std::string> data_;
    bool detach_ = false;
};

ExitCode ResumeCommand::run(Session& session) {
    using Effect = ResumeAnswer::Effect;
    const auto payload = payload_from(data_);
    if (detach_) require_worker_can(session);
    const JobExecution before = session.execution(session.resolve(execution_));
    const ResumeOptions options{.point = point_, .payload = payload, .seen = pause_.value_or(before.pauses)};
    std::optional<Foreground> foreground;
    if (!detach_) foreground.emplace(session);
    const ResumeAnswer answer =
        detach_ ? session.jobs().submit_resume(before.id, options) : session.jobs().resume(before.id, options);
    if (answer.effect == Effect::released) return conclude_submission(session, before.id);
    if (answer.effect == Effect::withdrawn) return tell(session, before.id, "goes on: the request is withdrawn");
    if (answer.effect == Effect::completed) return tell(session, before.id, "goes on when everything rests");
    if (answer.effect == Effect::still_paused) {
        tell(session, before.id, "still waits for " + waits_text(session.execution(before.id)));
        return ExitCode::paused;
    }
    return foreground->conclude(foreground->follow(before.id));
}

ExitCode ResumeCommand::tell(Session& session, JobExecutionId id, std::string_view what) {
    session.out().one(fmt::format("{} {}\n", id.value(), what), to_json(view_of(session, session.execution(id)), true),
                      std::to_string(id.value()));
    return ExitCode::ok;
}

}  // namespace

const Descriptor resume_command{.name = "resume",
                                .group = "Waiting",
                                .about = "Go on, here, with an execution that is PAUSED",
                                .help = help,
                                .formats = one_object,
                                .make = make_command<ResumeCommand>};

}  // namespace fermata::cli
