#include "../command.hpp"
#include "../each.hpp"
#include "../session.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(For what is FAILED, STOPPED or PAUSED and shall not go on. `run --instance` with the key of its instance is refused from
then on (8).
)";

class AbandonCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", executions_, "The executions; none may be running")
            .require()
            .complete(Completes::execution);
    }
    ExitCode run(Session& session) override {
        return for_each_of(session, executions_, [&](JobExecutionId id) {
            session.jobs().abandon(id);
            session.out().one(fmt::format("{} is ABANDONED\n", id.value()),
                              fmt::format(R"({{"id":{},"status":"ABANDONED"}})", id.value()),
                              std::to_string(id.value()));
        });
    }

private:
    std::vector<ExecutionRef> executions_;
};

}  // namespace

const Descriptor abandon_command{.name = "abandon",
                                 .group = "Running",
                                 .about = "Give executions up: they cannot be restarted any more",
                                 .help = help,
                                 .formats = one_object,
                                 .make = make_command<AbandonCommand>};

}  // namespace fermata::cli
