#include "../command.hpp"
#include "../launching.hpp"
#include "../submission.hpp"

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"help(Returns as soon as it is recorded. A worker whose jobs folder holds this very definition runs it, one after the other as
they were asked for; the exit code says nothing about its outcome. --instance as with run.

  fermata start nightly -p date=2026-11-21
  fermata wait "$(fermata start nightly -o name)"

Without a worker it waits; fermata resume ID runs it here, fermata stop ID takes it back.
)help";

class StartCommand final : public Command {
public:
    void describe(Options& options) override { launching_.describe(options); }
    ExitCode run(Session& session) override {
        require_worker_can(session);
        launching_.load(session);
        session.repository(IfAbsent::create);
        const auto execution = launching_.begin(session, Launching::Where::by_a_worker);
        return execution ? conclude_submission(session, *execution) : launching_.settled();
    }

private:
    Launching launching_;
};

}  // namespace

const Descriptor start_command{.name = "start",
                               .group = "Running",
                               .about = "Ask a worker to run a job, and print the id",
                               .help = help,
                               .formats = one_object,
                               .make = make_command<StartCommand>};

}  // namespace fermata::cli
