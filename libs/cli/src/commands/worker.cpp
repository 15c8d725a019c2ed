#include "../command.hpp"
#include "../execution_view.hpp"
#include "../interrupts.hpp"
#include "../jobs_folder.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/process.hpp>
#include <fermata/base/text.hpp>
#include <fermata/runtime/worker_service.hpp>

#include <mutex>
#include <thread>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Runs what `fermata start` and --detach ask for, and what was paused and goes on by a signal: executions whose definition
is, as it is stored, one of the jobs folder's, and partitions of those whose step says fer:workers="any" or that were
asked for with --workers, whoever runs them. Files may be added, changed and removed meanwhile.

TERM (or Ctrl-C): claims nothing more; what runs may end within --drain, then chunk steps rest at their next checkpoint
and are handed on to other workers, or to this one when it is back; commands run to their end. Once more: leaves at
once (130); nothing is lost, recover and other workers go on from the last checkpoint.

  fermata worker --jobs /srv/jobs --slots 8 --name alpha
)";

constexpr std::int64_t most_slots = 1'000;

class WorkerCommand final : public Command {
public:
    void describe(Options& options) override {
        options.value("--slots", "N", slots_,
                      "Executions and partitions at a time; as many as there are processors by default");
        options.value("--name", "NAME", name_, "As `fermata workers` shows it; host and pid by default")
            .refuse_empty("a name");
        options.value("--drain", "DURATION", drain_, "How long what runs may go on after TERM (20s)");
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] WorkerService::Settings settings(JobsFolder& folder) const;
    std::int64_t slots_ = std::max(1U, std::thread::hardware_concurrency());
    std::string name_ = fmt::format("{}-{}", host_name(), ::getpid());
    Duration drain_ = std::chrono::seconds(20);
};

std::string told(const JobExecution& execution, std::string_view what) {
    return fmt::format("fermata: {} {} {}", execution.id.value(), printable(execution.job_name), what);
}

std::string told(const WorkerService::News& news) {
    using Kind = WorkerService::News::Kind;
    if (!news.execution) return "fermata: " + printable(news.text, 1000);
    const JobExecution& execution = *news.execution;
    switch (news.kind) {
        case Kind::claimed:
            return told(execution, "claimed");
        case Kind::handed:
            return told(execution, "handed on");
        case Kind::orphaned:
            return told(execution, fmt::format("has lost its owner and is {} now", to_string(execution.status)));
        case Kind::trouble:
            return told(execution, "cannot go on here: " + printable(news.text, 1000));
        case Kind::ended:
            break;
    }
    return told(execution, fmt::format("{} after {}", to_string(execution.status),
                                       to_human(duration_of(execution.started, execution.ended))));
}

WorkerService::Settings WorkerCommand::settings(JobsFolder& folder) const {
    return {.name = name_,
            .slots = slots_,
            .jobs = [&folder] { return folder.changes(); },
            .grace = drain_,
            .tell = [](const WorkerService::News& news) { Output::note(told(news)); }};
}

/// TERM and its like. Made before any thread: the first signal may come before the service is there.
class Leaving {
public:
    explicit Leaving(Duration drain) : drain_(drain) {}
    /// While `service` runs, signals are for it.
    void run(WorkerService& service) {
        attend(&service);
        try {
            service.run();
        } catch (...) {
            attend(nullptr);
            throw;
        }
        attend(nullptr);
    }

private:
    void attend(WorkerService* service) {
        const std::lock_guard lock(mutex_);
        service_ = service;
        if (asked_ && service != nullptr) service->drain();
    }
    void on_signal(int count) {
        if (count > 1) ::_exit(static_cast<int>(ExitCode::interrupted));
        const std::lock_guard lock(mutex_);
        asked_ = true;
        if (service_ != nullptr) service_->drain();
        Output::note(fmt::format("fermata: claims nothing more; what runs has {} to end; once more leaves at once",
                                 to_human(drain_)));
    }
    const Duration drain_;
    std::mutex mutex_;
    WorkerService* service_ = nullptr;
    bool asked_ = false;
    Interrupts interrupts_{[this](int count) { on_signal(count); }};  // last: its thread uses all of the above
};

ExitCode WorkerCommand::run(Session& session) {
    if (slots_ < 1 || slots_ > most_slots)
        throw Error(ErrorKind::usage, fmt::format("--slots {}: a worker has between 1 and {}", slots_, most_slots));
    JobsFolder folder(session);
    const auto where = session.settings().jobs_folder();
    Leaving leaving(drain_);
    session.repository(IfAbsent::create);
    WorkerService service(session.jobs(), settings(folder));
    Output::note(fmt::format("fermata: worker {} serves {} with {} slot{} (pid {})", printable(name_), where.string(),
                             slots_, slots_ == 1 ? "" : "s", ::getpid()));
    leaving.run(service);
    return ExitCode::ok;
}

}  // namespace

const Descriptor worker_command{.name = "worker",
                                .group = "Workers",
                                .about = "Run what others ask for, until TERM",
                                .help = help,
                                .make = make_command<WorkerCommand>};

}  // namespace fermata::cli
