#include "../await.hpp"
#include "../command.hpp"
#include "../execution_view.hpp"
#include "../submission.hpp"
#include "../waits.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Exit code 0 if all are COMPLETED, else the highest of 1 FAILED, 10 STOPPED, 11 PAUSED, 12 ABANDONED. What is PAUSED is
not waited for any longer: somebody has to answer.

  fermata wait 12 13 --timeout 1h
  fermata wait 12 --for paused && fermata resume 12
)";

class WaitCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", executions_, "The executions").require().complete(Completes::execution);
        options.value("--for", "STATUS", until_, "Until they are PAUSED; exit code 8 for one that has ended instead")
            .statuses({"paused"});
        options.value("--timeout", "DURATION", timeout_, "Wait no longer than this: exit code 3");
    }
    ExitCode run(Session& session) override {
        std::vector<JobExecutionId> ids;
        for (const auto& reference : executions_)  // before any is waited for
            ids.push_back(session.execution(session.resolve(reference)).id);
        const Deadline deadline(timeout_);
        ExitCode code = ExitCode::ok;
        for (const auto id : ids) {
            if (const JobExecution before = session.execution(id); awaits_owner(before))
                warn_if_nobody_serves(session, before);
            const JobExecution execution = await_end(session, id, deadline);
            print(session, execution);
            session.out().push();  // others may take days
            code = worst(code, !until_                                   ? exit_code_of(execution.status)
                               : execution.status == BatchStatus::paused ? ExitCode::ok
                                                                         : ExitCode::conflict);
        }
        return code;
    }

private:
    static void print(Session& session, const JobExecution& execution) {
        const auto id = execution.id.value();
        const std::string_view status = to_string(execution.status);
        const auto unserved = unserved_pauses(session, execution);
        const std::string more = unserved.empty() ? "" : "; " + unserved_text(unserved);
        session.out().one(fmt::format("{} is {}{}\n", id, status, more),
                          fmt::format(R"({{"id":{},"status":"{}","unserved_pauses":{}}})", id, status, unserved.size()),
                          std::to_string(id));
    }

    std::vector<ExecutionRef> executions_;
    std::optional<BatchStatus> until_;
    std::optional<Duration> timeout_;
};

}  // namespace

const Descriptor wait_command{.name = "wait",
                              .group = "Looking",
                              .about = "Wait for executions to end or to rest; the exit code tells the worst outcome",
                              .help = help,
                              .formats = one_object,
                              .make = make_command<WaitCommand>};

}  // namespace fermata::cli
