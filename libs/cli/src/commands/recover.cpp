#include "../command.hpp"
#include "../execution_view.hpp"
#include "../foreground.hpp"
#include "../json_text.hpp"
#include "../submission.hpp"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(For executions that `fermata list` marks "owner lost": their process died. The same execution goes on, here, from its
last checkpoint.
)";

class RecoverCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.flag("--fail", fail_, "Mark it FAILED instead");
        options.flag("--dry-run", dry_run_, "Only tell what is known about its owner");
        options.flag("--detach", detach_, "Let a worker go on with it, and print the id");
    }
    ExitCode run(Session& session) override {
        if (dry_run_) return tell(session, session.resolve(execution_));
        return fail_ ? mark_failed(session, session.resolve(execution_)) : go_on(session);
    }

private:
    static ExitCode tell(Session& session, JobExecutionId id);
    static ExitCode mark_failed(Session& session, JobExecutionId id);
    ExitCode go_on(Session& session);
    ExecutionRef execution_;
    bool fail_ = false;
    bool dry_run_ = false;
    bool detach_ = false;
};

ExitCode RecoverCommand::tell(Session& session, JobExecutionId id) {
    const JobExecution execution = session.execution(id);
    const auto evidence = session.repository().owner_liveness(id);
    if (!evidence)
        throw Error(ErrorKind::conflict,
                    fmt::format("cannot recover {}: it is {}, not running", id.value(), to_string(execution.status)));
    const bool dead = evidence->liveness == Liveness::dead;
    const nlohmann::ordered_json object{
        {"id", id.value()}, {"owner_dead", dead}, {"evidence", evidence->evidence}, {"would_recover", dead}};
    session.out().one(
        fmt::format("execution {} is {}: {}\n{}\n", id.value(), status_text(execution), evidence->evidence,
                    dead ? "recover would take it over" : "recover would leave it alone"),
        json_text(object), std::to_string(id.value()));
    return dead ? ExitCode::ok : ExitCode::conflict;
}

ExitCode RecoverCommand::mark_failed(Session& session, JobExecutionId id) {
    session.jobs().fail_lost(id);
    const JobExecution after = session.execution(id);
    session.out().one(fmt::format("{} is {}: fermata restart {}\n", id.value(), to_string(after.status), id.value()),
                      to_json(view_of(session, after), true), std::to_string(id.value()));
    return ExitCode::ok;
}

ExitCode RecoverCommand::go_on(Session& session) {
    const JobExecutionId id = session.resolve(execution_);
    if (detach_) {
        require_worker_can(session);
        session.jobs().submit_recovery(id);
        return conclude_submission(session, id);
    }
    Foreground foreground(session);
    session.jobs().recover(id);
    return foreground.conclude(foreground.follow(id));
}

}  // namespace

const Descriptor recover_command{.name = "recover",
                                 .group = "Running",
                                 .about = "Take over an execution whose process died, here",
                                 .help = help,
                                 .formats = one_object,
                                 .make = make_command<RecoverCommand>};

}  // namespace fermata::cli
