#include "execution_view.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <ctime>

namespace fermata::cli {

namespace {

std::string it_is(const JobExecution& execution, std::string_view rule) {
    return fmt::format("it is {}; {}", to_string(execution.status), rule);
}

std::string why_no_restart(const JobExecution& execution, JobExecutionId newest, bool restartable) {
    if (newest != execution.id)
        return fmt::format("only the newest execution of the instance can be: {}", newest.value());
    if (!execution.owner_lost && !is_restartable(execution.status))
        return it_is(execution, "only FAILED, STOPPED can be restarted");
    if (!restartable) return "the job says restartable=\"false\"";
    return {};
}

bool says_restartable(Session& session, JobInstanceId instance) {
    const auto stored = session.repository().definition_of(instance);
    return !stored || job_definition_from_json(stored->canonical).restartable.source() != "false";
}

Action action(std::string_view name, std::string why_not) {
    return {.name = name, .allowed = why_not.empty(), .why_not = std::move(why_not)};
}

}  // namespace

std::vector<Action> actions_of(const JobExecution& execution, JobExecutionId newest, bool restartable) {
    const bool running = is_running(execution.status);
    return {
        action("stop", running ? "" : it_is(execution, "only what runs can be stopped")),
        action("restart", why_no_restart(execution, newest, restartable)),
        action("abandon", running                                      ? it_is(execution, "stop it first")
                          : execution.status == BatchStatus::abandoned ? "it is ABANDONED already"
                                                                       : ""),
        action("recover", execution.owner_lost ? ""
                          : running            ? "its owner lives"
                                               : it_is(execution, "only what lost its owner can be recovered")),
    };
}

ExecutionView view_of(Session& session, JobExecution execution) {
    Repository& repository = session.repository();
    const bool may_restart = execution.owner_lost || is_restartable(execution.status);
    JobExecutionId newest = execution.id;
    if (may_restart) {
        const auto latest = repository.find_executions({.instance = execution.instance_id, .limit = 1});
        if (!latest.empty()) newest = latest.front().id;
    }
    const bool restartable = !may_restart || says_restartable(session, execution.instance_id);
    ExecutionView view{.execution = std::move(execution), .steps = {}, .partitions = {}, .actions = {}};
    view.steps = repository.steps_of(view.execution.id);
    if (session.out().wants_json())
        for (const auto& step : view.steps)
            if (step.partitions) view.partitions.emplace(step.id, repository.partitions_of(step.id));
    view.actions = actions_of(view.execution, newest, restartable);
    return view;
}

std::string status_text(const JobExecution& execution) {
    return execution.owner_lost ? "owner lost" : std::string(to_string(execution.status));
}

std::string decorated_status(const JobExecution& execution, const Style& style) {
    const std::string text = status_text(execution);
    if (execution.owner_lost) return style.red(fmt::format("{} {}", style.mark_failed(), text));
    switch (execution.status) {
        case BatchStatus::completed:
            return style.green(fmt::format("{} {}", style.mark_done(), text));
        case BatchStatus::failed:
            return style.red(fmt::format("{} {}", style.mark_failed(), text));
        case BatchStatus::stopped:
        case BatchStatus::abandoned:
            return style.yellow(fmt::format("{} {}", style.mark_stopped(), text));
        default:
            return style.bold(fmt::format("{} {}", style.mark_running(), text));
    }
}

Metrics totals_of(const std::vector<StepExecution>& steps) {
    Metrics sum;
    for (const auto& step : steps) {
        sum.read += step.metrics.read;
        sum.written += step.metrics.written;
        sum.filtered += step.metrics.filtered;
        sum.read_skips += step.metrics.read_skips;
        sum.process_skips += step.metrics.process_skips;
        sum.write_skips += step.metrics.write_skips;
        sum.commits += step.metrics.commits;
        sum.rollbacks += step.metrics.rollbacks;
    }
    return sum;
}

Duration duration_of(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to) {
    if (!from) return Duration{0};
    return to.value_or(Clock::system().now()) - *from;
}

std::string local_time(Timestamp time) {
    const std::time_t seconds = std::chrono::system_clock::to_time_t(time);
    std::tm parts{};
    ::localtime_r(&seconds, &parts);
    return fmt::format("{:%Y-%m-%d %H:%M:%S}", parts);
}

}  // namespace fermata::cli
