#include "../await.hpp"
#include "../command.hpp"
#include "../each.hpp"
#include "../json_text.hpp"
#include "../local_time.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Returns when the request is recorded. A chunk step commits what it has and ends STOPPED; a command gets TERM, and KILL
after its grace period.

--step NAME ends one running step and lets the job go on behind it: the step commits what it has, its files are put in
place, partitions that were not begun are not; it is COMPLETED with exit status STEP_STOPPED. `show` and a later restart
say who cut it short, and after which item.
)";

class StopCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", executions_, "The executions").require().complete(Completes::execution);
        options.value("--step", "NAME", step_, "Only this step, which runs; the job goes on")
            .complete(Completes::running_step);
        options.flag("--now", now_, "No grace period for commands");
        options.flag("--wait", wait_,
                     "Wait until they have ended; the exit code is 0 if they are STOPPED (--step: COMPLETED)");
        options.value("--timeout", "DURATION", timeout_, "Wait no longer than this: exit code 3");
    }
    ExitCode run(Session& session) override {
        std::vector<JobExecutionId> ids;
        ExitCode code = for_each_of(session, executions_, [&](JobExecutionId id) {
            ask(session, id);
            ids.push_back(id);
        });
        if (!wait_) return code;
        const Deadline deadline(timeout_);
        for (const auto id : ids)
            code = worst(code, step_ ? await_step(session, id, deadline) : await_stopped(session, id, deadline));
        return code;
    }

private:
    void ask(Session& session, JobExecutionId id) const {
        if (step_) return ask_step(session, id);
        const bool was_now = session.execution(id).stop_now;
        const StopAnswer answer = session.jobs().stop(id, now_);
        std::string more;
        if (answer.owner_lost) more = "; it had lost its owner";
        if (answer.effect == StopAnswer::Effect::already && answer.since)
            more = fmt::format(" since {}{}", local_time(*answer.since), what_changes(was_now));
        print(session, id, answer.status, more);
    }
    /// For one that was asked before.
    [[nodiscard]] std::string_view what_changes(bool was_now) const {
        if (!now_) return "";
        return was_now ? "; its commands had no grace period already" : "; its commands have no grace period any more";
    }
    static ExitCode await_stopped(Session& session, JobExecutionId id, const Deadline& deadline) {
        const BatchStatus status = await_end(session, id, deadline).status;
        print(session, id, status, {});
        return status == BatchStatus::stopped ? ExitCode::ok : exit_code_of(status);
    }
    void ask_step(Session& session, JobExecutionId id) const {
        const StepStopAnswer answer = session.jobs().stop_step(id, *step_, now_);
        std::string more = "; asked to stop";
        if (answer.effect == StepStopAnswer::Effect::already)
            more += fmt::format(" since {}", local_time(*answer.since));
        if (answer.owner_lost) more += fmt::format("; its owner is lost: fermata recover {}", id.value());
        print_step(session, id, *answer.step, more);
    }
    ExitCode await_step(Session& session, JobExecutionId id, const Deadline& deadline) const {
        const BatchStatus status = await_step_end(session, id, *step_, deadline).status;
        print_step(session, id, status, {});
        return exit_code_of(status);
    }
    void print_step(Session& session, JobExecutionId id, BatchStatus status, std::string_view more) const {
        session.out().one(
            fmt::format("{} step {} is {}{}\n", id.value(), printable(*step_), to_string(status), more),
            fmt::format(R"({{"id":{},"step":{},"status":"{}"}})", id.value(), json_text(*step_), to_string(status)),
            std::to_string(id.value()));
    }
    static void print(Session& session, JobExecutionId id, BatchStatus status, std::string_view more) {
        session.out().one(fmt::format("{} is {}{}\n", id.value(), to_string(status), more),
                          fmt::format(R"({{"id":{},"status":"{}"}})", id.value(), to_string(status)),
                          std::to_string(id.value()));
    }

    std::vector<ExecutionRef> executions_;
    std::optional<std::string> step_;
    bool now_ = false;
    bool wait_ = false;
    std::optional<Duration> timeout_;
};

}  // namespace

const Descriptor stop_command{.name = "stop",
                              .group = "Running",
                              .about = "Ask running executions, or one step, to stop at the next checkpoint",
                              .help = help,
                              .formats = one_object,
                              .make = make_command<StopCommand>};

}  // namespace fermata::cli
