#include "../command.hpp"
#include "../foreground.hpp"
#include "../launching.hpp"
#include "../submission.hpp"

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Makes a new instance each time. With --instance KEY the line may be repeated, from cron for example: what failed,
was stopped, lost its process or waits for a worker goes on; what is complete stays so (0), and so does what waits for
somebody (11). With other parameters, or while it runs elsewhere, it is refused (8).

  fermata run nightly.xml -p date=2026-11-21
  fermata run nightly --instance 2026-11-21 --params night.json

--detach is `fermata start`: a worker runs it. With --workers this process does partitions as ever, and workers whose jobs
folder holds this very definition help; a restart keeps it.
)";

class RunCommand final : public Command {
public:
    void describe(Options& options) override {
        launching_.describe(options);
        options.flag("--detach", detach_, "Ask a worker to run it, and print the id");
    }
    ExitCode run(Session& session) override {
        if (detach_) require_worker_can(session);
        launching_.load(session);
        session.repository(IfAbsent::create);
        return detach_ ? submit(session) : run_here(session);
    }

private:
    ExitCode run_here(Session& session) {
        Foreground foreground(session);
        const auto execution = launching_.begin(session, Launching::Where::here);
        if (!execution) return launching_.settled();
        return foreground.conclude(foreground.follow(*execution));
    }
    ExitCode submit(Session& session) {
        const auto execution = launching_.begin(session, Launching::Where::by_a_worker);
        return execution ? conclude_submission(session, *execution) : launching_.settled();
    }

    Launching launching_;
    bool detach_ = false;
};

}  // namespace

const Descriptor run_command{.name = "run",
                             .group = "Running",
                             .about = "Run a job here, in the foreground; the exit code tells its outcome",
                             .help = help,
                             .formats = one_object,
                             .make = make_command<RunCommand>};

}  // namespace fermata::cli
