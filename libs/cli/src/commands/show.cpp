#include "../busy.hpp"
#include "../command.hpp"
#include "../counted.hpp"
#include "../cuts.hpp"
#include "../execution_view.hpp"
#include "../notifications.hpp"
#include "../partitions.hpp"
#include "../report.hpp"
#include "../shell_word.hpp"
#include "../skips.hpp"
#include "../waits.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(--waits lists pauses, newest first, and signals that came before the pause they are for.

With -o json: the object "fermata.execution/1"; keys may be added, none is ever changed or left out.
)";

class ShowCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.flag("--partitions", partitions_, "The partitions of its partitioned steps instead");
        options.flag("--waits", waits_, "What it waits for, and has waited for, instead");
        options.flag("--skips", skips_, "The skipped items instead: reason, place, text as read");
    }
    ExitCode run(Session& session) override;

private:
    ExecutionRef execution_;
    bool partitions_ = false;
    bool skips_ = false;
    bool waits_ = false;
};

std::string fact(std::string_view name, std::string_view value) { return fmt::format("  {:<11} {}\n", name, value); }

std::string when(const std::optional<Timestamp>& time) { return time ? local_time(*time) : "–"; }

std::string owner_text(const WorkerRecord& owner) {
    const std::string process = fmt::format("pid {} on {}", owner.process.pid, printable(owner.host));
    return owner.name.empty() ? process : fmt::format("worker {}, {}", printable(owner.name), process);
}

std::string facts_of(const ExecutionView& view) {
    const JobExecution& execution = view.execution;
    std::string text = fact(
        "instance", execution.instance_key
                        ? fmt::format("{}  key {}", execution.instance_id.value(), printable(*execution.instance_key))
                        : std::to_string(execution.instance_id.value()));
    if (execution.exit_status) text += fact("exit status", printable(*execution.exit_status));
    if (view.owner) text += fact("owner", owner_text(*view.owner));
    text += fact("started", when(execution.started));
    if (execution.ended) text += fact("ended", when(execution.ended));
    text += fact("duration", to_human(duration_of(execution.started, execution.ended)));
    if (execution.restart_of) text += fact("restart of", std::to_string(execution.restart_of->value()));
    for (const auto& [name, value] : execution.parameters)
        text += fact("parameter", fmt::format("{}={}", printable(name), printable(with_hidden_passwords(value))));
    return text;
}

/// Who stopped it, and what keeps a STOPPING execution from being STOPPED.
std::string stop_text(const ExecutionView& view) {
    const JobExecution& execution = view.execution;
    const bool is_stopped = is_running(execution.status) || execution.status == BatchStatus::stopped;
    if (!execution.stop_requested_at || !is_stopped) return {};
    const std::string busy = busy_text(view);
    return fact("stop",
                fmt::format("asked by {} at {}{}{}{}", printable(execution.stop_requested_by.value_or("somebody")),
                            local_time(*execution.stop_requested_at), execution.stop_now ? ", now" : "",
                            busy.empty() ? "" : "; ", busy));
}

/// What keeps a PAUSING execution from being PAUSED.
std::string pause_text(const ExecutionView& view) {
    if (view.execution.status != BatchStatus::pausing) return {};
    const std::string busy = busy_text(view);
    return busy.empty() ? busy : fact("still busy", busy);
}

std::string unserved_line(const ExecutionView& view) {
    const std::string text = unserved_text(view.unserved);
    return text.empty() ? text : fact("not paused", text);
}

/// Somebody believes to have answered.
std::string kept_line(Session& session, const JobExecution& execution) {
    if (has_ended(execution.status) || session.out().format() != Format::table) return {};
    constexpr std::int64_t enough = 1000;
    const auto kept = session.repository().buffered_signals_of(execution.id, enough);
    if (kept.empty()) return {};
    const auto number = static_cast<std::int64_t>(kept.size());
    return fact("kept",
                fmt::format("{}{} that no pause has taken, {}for \"{}\": fermata show {} --waits",
                            counted(number, "signal"), number == enough ? " or more" : "",
                            number == 1 ? "" : "the first ", printable(kept.front().point), execution.id.value()));
}

std::string notification_lines(Session& session, const JobExecution& execution) {
    std::string text;
    const auto failed = failed_notifications(session, execution.id, execution.waits);
    for (const Pause& pause : execution.waits)
        if (const auto found = failed.find(pause.epoch); found != failed.end())
            text += fact("notify", sentence(pause, found->second));
    return text;
}

std::string steps_of(const ExecutionView& view, const Style& style) {
    RunningStep line;
    std::string text;
    for (const auto& step : view.steps) {
        line = {.name = step.name,
                .id = step.id,
                .status = step.status,
                .metrics = step.metrics,
                .fraction = -1,
                .started = step.started.value_or(view.execution.created),
                .ended = step.ended,
                .exit_status = step.exit_status};
        text += step_line(line, style);
    }
    return text;
}

std::string failure_of(const JobExecution& execution) {
    if (!execution.failure) return {};
    const Failure& failure = *execution.failure;
    std::string text = fact("error", printable(failure.message, 1000));
    text += fact("class", printable(failure.error_class));
    if (!failure.position.empty()) text += fact("position", printable(failure.position));
    return text;
}

/// What the verb cannot do without: the point where it waits.
std::string needed_by(const Action& action, const JobExecution& execution) {
    if (action.name != "signal") return {};
    return " --point " + (execution.waits.empty() ? "NAME" : shell_word(execution.waits.front().what.point));
}

std::string actions_text(const ExecutionView& view) {
    std::string text;
    for (const auto& action : view.actions)
        if (action.allowed)
            text += fmt::format("{}fermata {} {}{}", text.empty() ? "" : ", ", action.name, view.execution.id.value(),
                                needed_by(action, view.execution));
    return text.empty() ? text : fact("possible", text);
}

std::string text_of(Session& session, const ExecutionView& view) {
    const Style& style = session.out().style();
    const JobExecution& execution = view.execution;
    std::string text = fmt::format("{}  execution {}  {}\n", style.bold(printable(execution.job_name)),
                                   execution.id.value(), decorated_status(execution, style));
    return text + facts_of(view) + stop_text(view) + cut_lines(view) + waits_lines(execution) + pause_text(view) +
           notification_lines(session, execution) + kept_line(session, execution) + unserved_line(view) +
           failure_of(execution) + actions_text(view) + (view.steps.empty() ? "" : "\n") + steps_of(view, style);
}

ExitCode ShowCommand::run(Session& session) {
    JobExecution execution = session.execution(session.resolve(execution_));
    if (skips_) {
        print_skips(session, execution.id);
        return ExitCode::ok;
    }
    if (waits_) {
        print_waits(session, execution.id);
        return ExitCode::ok;
    }
    if (partitions_) {
        print_partitions(session, execution.id);
        return ExitCode::ok;
    }
    if (session.out().format() == Format::tsv)
        throw Error(ErrorKind::usage, "show has -o tsv with --skips, --partitions and --waits only",
                    "fermata list -o tsv");
    const auto id = std::to_string(execution.id.value());
    ExecutionView view = view_of(session, std::move(execution));
    view.cuts = session.repository().cuts_of(view.execution.instance_id);
    session.out().one(text_of(session, view), to_json(view, true), id);
    return ExitCode::ok;
}

}  // namespace

const Descriptor show_command{.name = "show",
                              .group = "Looking",
                              .about = "One execution: steps, counters, parameters, what failed, what can be done",
                              .help = help,
                              .formats = all_formats,
                              .make = make_command<ShowCommand>};

}  // namespace fermata::cli
