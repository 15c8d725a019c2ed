#include "../await.hpp"
#include "../command.hpp"
#include "../execution_view.hpp"
#include "../foreground.hpp"
#include "../progress.hpp"
#include "../report.hpp"
#include "../step_lines.hpp"
#include "../terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(Ctrl-C leaves it alone: it goes on, and can be watched again.
)";

class WatchCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution; the newest running one by default")
            .complete(Completes::execution);
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] JobExecutionId chosen(Session& session) const;
    std::optional<ExecutionRef> execution_;
};

JobExecutionId WatchCommand::chosen(Session& session) const {
    if (execution_) return session.resolve(*execution_);
    const auto running = session.repository().find_executions(
        {.statuses = {BatchStatus::starting, BatchStatus::started, BatchStatus::stopping, BatchStatus::pausing},
         .limit = 1});
    if (running.empty()) throw Error(ErrorKind::not_found, "nothing is running", "fermata list shows what has run");
    return running.front().id;
}

ExitCode WatchCommand::run(Session& session) {
    Patience patience;
    Output& out = session.out();
    JobExecution execution = session.execution(chosen(session));
    const auto id = execution.id;
    const auto display =
        make_progress(session.settings(), style_for(STDERR_FILENO, session.settings(), out.style().ascii),
                      execution.job_name, "Ctrl-C: leave it alone");
    StepLines lines(out, *display);
    if (prints_report(out)) out.write(header_line(execution, out.style()));
    if (out.format() == Format::name) out.write(fmt::format("{}\n", id.value()));
    out.push();
    for (;;) {
        const RunningJob job = snapshot_of(session.repository(), execution);
        lines.print_ended(job);
        display->update(job);
        if (!is_running(execution.status)) break;
        if (is_forsaken(session, execution))
            throw Error(ErrorKind::conflict, fmt::format("execution {} lost its owner: nobody runs it", id.value()),
                        fmt::format("fermata recover {}", id.value()));
        if (!patience.wait(std::chrono::milliseconds(200))) {
            display->clear();
            Output::note(fmt::format("fermata: left execution {} alone; to come back: fermata watch {}", id.value(),
                                     id.value()));
            return ExitCode::interrupted;
        }
        execution = session.execution(id);
    }
    display->finish(execution);
    if (prints_report(out)) {
        const Metrics sum = totals_of(session.repository().steps_of(id));
        out.write(closing_lines(execution, actions_of(session, execution), skipped(sum), out.style()));
    }
    tell_of_pauses(session, execution);
    return conclude(session, execution);
}

}  // namespace

const Descriptor watch_command{.name = "watch",
                               .group = "Looking",
                               .about = "Follow an execution of any process to its end",
                               .help = help,
                               .formats = one_object,
                               .make = make_command<WatchCommand>};

}  // namespace fermata::cli
