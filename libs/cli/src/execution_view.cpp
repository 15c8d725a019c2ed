#include "execution_view.hpp"
#include "busy.hpp"
#include "waits.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/model/resolved_job.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

std::string it_is(const JobExecution& execution, std::string_view rule) {
    return fmt::format("it is {}; {}", to_string(execution.status), rule);
}

std::string why_no_restart(const JobExecution& execution, JobExecutionId newest, const std::string& definition_says) {
    if (newest != execution.id)
        return fmt::format("only the newest execution of the instance can be: {}", newest.value());
    if (!execution.owner_lost && !is_restartable(execution.status))
        return it_is(execution, "only FAILED, STOPPED can be restarted");
    return definition_says;
}

/// A step that would be entered again, and may not.
std::string exhausted_start_limit(Session& session, const ResolvedJob& job, JobInstanceId instance) {
    for (const auto& [name, state] : session.repository().steps_of_instance(instance)) {
        const ResolvedStep* step = job.find(name);
        if (step == nullptr || step->start_limit == 0 || state.starts < step->start_limit) continue;
        if (state.status != BatchStatus::completed)
            return fmt::format("step \"{}\" has been started {} times, its start-limit is {}", printable(name),
                               state.starts, step->start_limit);
    }
    return {};
}

/// What the stored definition has against a restart.
std::string refused_by_definition(Session& session, const JobExecution& execution) {
    const auto stored = session.repository().definition_of(execution.instance_id);
    if (!stored) return {};
    const JobDefinition job = job_definition_from_json(stored->canonical);
    const Resolution resolution = resolve(job, execution.parameters, session.system_properties());
    const bool restartable = resolution.job ? resolution.job->restartable : job.restartable.source() != "false";
    if (!restartable) return "the job says restartable=\"false\"";
    if (!resolution.job) return {};
    return exhausted_start_limit(session, *resolution.job, execution.instance_id);
}

Action action(std::string_view name, std::string why_not) {
    return {.name = name, .allowed = why_not.empty(), .why_not = std::move(why_not)};
}

std::string why_no_pause(const JobExecution& execution) {
    const bool may = execution.status == BatchStatus::started || execution.status == BatchStatus::starting;
    return may ? "" : it_is(execution, "only STARTING, STARTED can be paused");
}

std::string why_no_resume(const JobExecution& execution) {
    const bool may =
        execution.status == BatchStatus::paused || execution.status == BatchStatus::pausing || awaits_owner(execution);
    return may ? "" : it_is(execution, "only what waits can be resumed");
}

std::vector<Action> judged(const JobExecution& execution, JobExecutionId newest, const std::string& definition_says) {
    const bool running = is_running(execution.status);
    const bool ended = has_ended(execution.status);
    return {
        action("stop", ended ? it_is(execution, "only what runs or waits can be stopped") : ""),
        action("pause", why_no_pause(execution)),
        action("resume", why_no_resume(execution)),
        action("signal", ended ? it_is(execution, "it has ended")
                         : execution.status == BatchStatus::stopping
                             ? it_is(execution, "nothing is waited for any more")
                             : ""),
        action("restart", why_no_restart(execution, newest, definition_says)),
        action("abandon", running                                      ? it_is(execution, "stop it first")
                          : execution.status == BatchStatus::abandoned ? "it is ABANDONED already"
                                                                       : ""),
        action("recover", execution.owner_lost ? ""
                          : running            ? "its owner lives"
                                               : it_is(execution, "only what lost its owner can be recovered")),
    };
}

}  // namespace

std::vector<Action> actions_of(Session& session, const JobExecution& execution) {
    if (!execution.owner_lost && !is_restartable(execution.status)) return judged(execution, execution.id, {});
    const auto latest = session.repository().find_executions({.instance = execution.instance_id, .limit = 1});
    const JobExecutionId newest = latest.empty() ? execution.id : latest.front().id;
    return judged(execution, newest, refused_by_definition(session, execution));
}

ExecutionView view_of(Session& session, JobExecution execution) {
    Repository& repository = session.repository();
    ExecutionView view{.execution = std::move(execution), .steps = {}, .partitions = {}, .actions = {}, .cuts = {}};
    view.steps = repository.steps_of(view.execution.id);
    if (view.execution.owner) view.owner = repository.owner_of(view.execution.id);
    if (session.out().wants_json() || is_coming_to_rest(view.execution))
        for (const auto& step : view.steps)
            if (step.partitions) view.partitions.emplace(step.id, repository.partitions_of(step.id));
    view.actions = actions_of(session, view.execution);
    view.unserved = unserved_pauses(session, view.execution);
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
        case BatchStatus::paused:
            return style.yellow(fmt::format("{} {}", style.mark_paused(), text));
        default:
            return style.bold(fmt::format("{} {}", style.mark_running(), text));
    }
}

std::vector<Pause> unserved_pauses(Session& session, const JobExecution& execution) {
    constexpr std::int64_t enough = 10;  // those it ended with are its newest
    if (execution.status != BatchStatus::completed || execution.pauses == 0) return {};
    auto pauses = session.repository().pauses_of(execution.id, enough);
    std::erase_if(pauses, [](const Pause& pause) { return pause.how != "ended"; });
    return pauses;
}

std::string unserved_text(const std::vector<Pause>& unserved) {
    if (unserved.empty()) return {};
    return fmt::format("the pause that {} asked for at {} was not served: nothing was left to do",
                       printable(unserved.front().opened_by), local_time(unserved.front().opened));
}

std::size_t steps_done(const ExecutionView& view) {
    return static_cast<std::size_t>(std::ranges::count(view.steps, BatchStatus::completed, &StepExecution::status));
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

}  // namespace fermata::cli
