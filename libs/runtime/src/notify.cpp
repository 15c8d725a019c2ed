#include "notify.hpp"

#include "step_log.hpp"

#include <fermata/base/point.hpp>
#include <fermata/base/stop_signal.hpp>

#include <fmt/format.h>
#include <fermata/runtime/step_log_path.hpp>

#include <algorithm>
#include <chrono>

namespace fermata {
namespace {

// Of one command, and of those together that somebody sends who came for something else.
constexpr std::chrono::seconds longest(30);

JobContext context_of(Repository& repository, const JobExecution& execution, const NotificationTools& tools) {
    if (tools.job != nullptr && tools.job->execution_id == execution.id) return *tools.job;
    JobContext context;
    context.job_name = execution.job_name;
    context.instance_id = execution.instance_id;
    context.execution_id = execution.id;
    context.parameters = execution.parameters;
    if (const auto instance = repository.find_instance(execution.instance_id)) {
        context.instance_uuid = instance->uuid;
        context.working_directory = instance->working_directory;
    }
    context.repository_url = tools.repository_url;
    context.data_folder = repository.data_folder();
    return context;
}

ResolvedProperties properties_of(JobExecutionId execution, const Pause& pause) {
    const auto property = [](std::string name, std::string value) {
        return ResolvedProperty{.name = std::move(name), .value = Text(std::move(value), {}), .at = {}};
    };
    return {property("command", *pause.what.notify),
            property("timeout", fmt::format("{}s", longest.count())),
            property("grace", "2s"),
            property("env.FERMATA_PAUSE_KEY", fmt::format("{}-{}", execution.value(), pause.epoch)),
            property("env.FERMATA_PAUSE_EPOCH", std::to_string(pause.epoch)),
            property("env.FERMATA_PAUSE_POINT", pause.what.point),
            property("env.FERMATA_PAUSE_MESSAGE", pause.what.message)};
}

void run_command(const ArtifactEntry& command, JobContext& job, const Pause& pause, const NotificationTools& tools,
                 StepLog& log) {
    const StopSignal never;
    StepContext step;
    step.step_name = "notify";
    step.job = &job;
    step.log = &log;
    step.stop = &never;
    step.drivers = &tools.drivers;
    step.owner_fd = tools.owner_fd;
    const Properties properties("notify", {}, properties_of(job.execution_id, pause));
    (void)command.make_batchlet({properties, &step, job})->process();
}

void send(Repository& repository, const NotificationTools& tools, const ArtifactEntry& command,
          const Notification& notification) {
    const auto execution = repository.find_execution(notification.execution);
    if (!execution) return;
    const auto pause = std::ranges::find(execution->waits, notification.epoch, &Pause::epoch);
    if (pause == execution->waits.end()) return;
    JobContext job = context_of(repository, *execution, tools);
    FileStepLog log(notification_log_path(repository.data_folder(), execution->id));
    try {
        FERMATA_POINT("notify.before");
        run_command(command, job, *pause, tools, log);
        FERMATA_POINT("notify.after");
    } catch (const std::exception& error) {
        log.line(fmt::format("notifying about \"{}\" failed: {}", pause->what.point, error.what()));
        return repository.not_notified(notification, error.what());
    }
    repository.notified(notification);
}

}  // namespace

void send_notifications(Repository& repository, const NotificationTools& tools) try {
    const ArtifactEntry* command = tools.registry.find(ArtifactKind::batchlet, "command");
    if (command == nullptr) return;  // a job whose pauses notify is not assembled then
    const auto enough = std::chrono::steady_clock::now() + longest;
    for (const Notification& notification : repository.take_notifications()) {
        if (std::chrono::steady_clock::now() >= enough) return;
        if (tools.job == nullptr || tools.job->execution_id == notification.execution)
            send(repository, tools, *command, notification);
    }
} catch (const std::exception&) {
    // The execution waits all the same; whoever opens the repository next tells of it.
}

}  // namespace fermata
