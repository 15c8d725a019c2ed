#include "../await.hpp"
#include "../command.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

class WaitCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", executions_, "The executions").require().complete(Completes::execution);
        options.value("--for", "STATUS", until_, "Until they are PAUSED; exit code 8 for one that has ended instead")
            .one_of({"paused"});
        options.value("--timeout", "DURATION", timeout_, "Wait no longer than this: exit code 3");
    }
    ExitCode run(Session& session) override {
        std::vector<JobExecutionId> ids;
        for (const auto& reference : executions_) ids.push_back(session.resolve(reference));
        const Deadline deadline(timeout_);
        ExitCode code = ExitCode::ok;
        for (const auto id : ids) {
            const auto status = await_end(session, id, deadline).status;
            session.out().one(fmt::format("{} is {}\n", id.value(), to_string(status)),
                              fmt::format(R"({{"id":{},"status":"{}"}})", id.value(), to_string(status)),
                              std::to_string(id.value()));
            code = worst(code, until_.empty()                  ? exit_code_of(status)
                               : status == BatchStatus::paused ? ExitCode::ok
                                                               : ExitCode::conflict);
        }
        return code;
    }

private:
    std::vector<ExecutionRef> executions_;
    std::string until_;
    std::optional<Duration> timeout_;
};

}  // namespace

const Descriptor wait_command{.name = "wait",
                              .group = "Looking",
                              .about = "Wait for executions to end or to rest; the exit code tells the worst outcome",
                              .help = {},
                              .formats = one_object,
                              .make = make_command<WaitCommand>};

}  // namespace fermata::cli
