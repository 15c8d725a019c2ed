#include "../await.hpp"
#include "../command.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Returns when the request is recorded. A chunk step commits what it has and ends STOPPED; a command gets TERM, and KILL
after its grace period.
)";

class StopCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", executions_, "The executions").require().complete(Completes::execution);
        options.flag("--now", now_, "No grace period for commands");
        options.flag("--wait", wait_, "Wait until they have ended; the exit code is 0 if they are STOPPED");
        options.value("--timeout", "DURATION", timeout_, "Wait no longer than this: exit code 3");
    }
    ExitCode run(Session& session) override {
        std::vector<JobExecutionId> ids;
        for (const auto& reference : executions_) ids.push_back(session.resolve(reference));
        for (const auto id : ids) ask(session, id);
        if (!wait_) return ExitCode::ok;
        const Deadline deadline(timeout_);
        ExitCode code = ExitCode::ok;
        for (const auto id : ids) code = worst(code, await_stopped(session, id, deadline));
        return code;
    }

private:
    void ask(Session& session, JobExecutionId id) const {
        const StopAnswer answer = session.jobs().stop(id, now_);
        std::string more;
        if (answer.effect == StopAnswer::Effect::stopped) more = "; it had lost its owner";
        if (answer.effect == StopAnswer::Effect::already && answer.since)
            more = fmt::format(" since {}", to_rfc3339(*answer.since));
        print(session, id, answer.status, more);
    }
    static ExitCode await_stopped(Session& session, JobExecutionId id, const Deadline& deadline) {
        const BatchStatus status = await_end(session, id, deadline).status;
        print(session, id, status, {});
        return status == BatchStatus::stopped ? ExitCode::ok : exit_code_of(status);
    }
    static void print(Session& session, JobExecutionId id, BatchStatus status, std::string_view more) {
        session.out().one(fmt::format("{} is {}{}\n", id.value(), to_string(status), more),
                          fmt::format(R"({{"id":{},"status":"{}"}})", id.value(), to_string(status)),
                          std::to_string(id.value()));
    }

    std::vector<ExecutionRef> executions_;
    bool now_ = false;
    bool wait_ = false;
    std::optional<Duration> timeout_;
};

}  // namespace

const Descriptor stop_command{.name = "stop",
                              .group = "Running",
                              .about = "Ask running executions to stop at their next checkpoint",
                              .help = help,
                              .formats = one_object,
                              .make = make_command<StopCommand>};

}  // namespace fermata::cli
