#include "report.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/batch/properties.hpp>

#include <algorithm>

#include "execution_view.hpp"
#include "waits.hpp"

namespace fermata::cli {

namespace {

std::string_view mark_of(const RunningStep& step, const Style& style) {
    switch (step.status) {
        case BatchStatus::completed:
            return style.mark_done();
        case BatchStatus::failed:
            return style.mark_failed();
        case BatchStatus::stopped:
        case BatchStatus::abandoned:
            return style.mark_stopped();
        case BatchStatus::paused:
            return style.mark_paused();
        default:
            return style.mark_running();
    }
}

std::string colored_mark(const RunningStep& step, const Style& style) {
    const auto mark = mark_of(step, style);
    if (step.status == BatchStatus::completed) return style.green(mark);
    return step.status == BatchStatus::failed ? style.red(mark) : style.yellow(mark);
}

std::string colored(BatchStatus status, const Style& style) {
    const auto text = to_string(status);
    if (status == BatchStatus::completed) return style.green(text);
    return status == BatchStatus::failed ? style.red(text) : style.yellow(text);
}

std::string failure_line(const Failure& failure) {
    std::string line = "  ";
    if (!failure.step.empty()) line += printable(failure.step) + ": ";
    if (!failure.position.empty() && failure.message.find(failure.position) == std::string::npos)
        line += printable(failure.position) + ": ";
    return line + printable(failure.message, 1000) + "\n";
}

std::string go_on_line(JobExecutionId id, const std::vector<Action>& actions) {
    for (const Action& action : actions) {
        if (action.name != "restart") continue;
        return action.allowed ? fmt::format("  go on:    fermata restart {}\n", id.value())
                              : fmt::format("  no restart: {}\n", action.why_not);
    }
    return {};
}

std::string next_lines(const JobExecution& execution, const std::vector<Action>& actions) {
    const auto id = execution.id.value();
    if (execution.status == BatchStatus::failed)
        return fmt::format("  look:     fermata show {}, fermata logs {}\n{}", id, id,
                           go_on_line(execution.id, actions));
    if (execution.status == BatchStatus::paused) return waits_lines(execution);
    return execution.status == BatchStatus::stopped ? go_on_line(execution.id, actions) : std::string();
}

}  // namespace

std::int64_t skipped(const Metrics& metrics) {
    return metrics.read_skips + metrics.process_skips + metrics.write_skips;
}

std::string counts_text(const Metrics& metrics) {
    if (metrics.read == 0 && metrics.commits == 0) return {};
    std::string text = fmt::format("read {}  written {}", with_commas(metrics.read), with_commas(metrics.written));
    if (metrics.filtered != 0) text += fmt::format("  filtered {}", with_commas(metrics.filtered));
    if (skipped(metrics) != 0) text += fmt::format("  skipped {}", with_commas(skipped(metrics)));
    return text;
}

std::string rate_text(double per_second) {
    if (per_second >= 1e6) return fmt::format("{:.1f}M/s", per_second / 1e6);
    if (per_second >= 1e3) return fmt::format("{:.1f}k/s", per_second / 1e3);
    return fmt::format("{:.0f}/s", per_second);
}

std::string eta_text(const RunningStep& step, Timestamp now) {
    const double done = step.fraction - step.fraction_before;
    if (done < 0.01) return {};
    const auto spent = static_cast<double>((now - step.started).count());
    const Duration left{static_cast<std::int64_t>(spent * (1 - std::min(step.fraction, 1.0)) / done)};
    return fmt::format("  eta {}", to_human(left));
}

std::string header_line(const JobExecution& execution, const Style& style) {
    std::string line = fmt::format("{}  execution {}  instance {}", style.bold(printable(execution.job_name)),
                                   execution.id.value(), execution.instance_id.value());
    if (execution.instance_key) line += fmt::format("  key {}", printable(*execution.instance_key));
    for (const auto& [name, value] : execution.parameters)
        line += fmt::format("  {}={}", printable(name), printable(with_hidden_passwords(value)));
    return line + "\n";
}

std::string step_line(const RunningStep& step, const Style& style) {
    const std::string name = pad(printable(step.name), 12);
    if (step.passed) return fmt::format("{} {} completed earlier\n", style.mark_passed(), name);
    const Duration took = duration_of(step.started, step.ended);
    std::string line = fmt::format("{} {} {:>7}", colored_mark(step, style), name, to_human(took));
    if (const auto counts = counts_text(step.metrics); !counts.empty()) line += "  " + counts;
    const std::int64_t written = step.metrics.written - step.before.written;  // in this time
    if (written > 0 && took > Duration{1000})
        line += "   " + rate_text(static_cast<double>(written) * 1e6 / static_cast<double>(took.count()));
    if (step.exit_status && *step.exit_status != to_string(step.status))
        line += "  exit " + printable(*step.exit_status);
    return line + "\n";
}

std::string closing_lines(const JobExecution& execution, const std::vector<Action>& actions, std::int64_t skipped_items,
                          const Style& style) {
    std::string text = fmt::format("{} in {}", colored(execution.status, style),
                                   to_human(duration_of(execution.started, execution.ended)));
    if (execution.exit_status && *execution.exit_status != to_string(execution.status))
        text += fmt::format("   exit status {}", printable(*execution.exit_status));
    if (skipped_items != 0)
        text += fmt::format("   {} item{} skipped: fermata show {} --skips", with_commas(skipped_items),
                            skipped_items == 1 ? "" : "s", execution.id.value());
    text += "\n";
    if (execution.failure) text += failure_line(*execution.failure);
    return text + next_lines(execution, actions);
}

RunningJob snapshot_of(Repository& repository, const JobExecution& execution) {
    RunningJob job{.id = execution.id, .status = execution.status, .steps = {}, .ahead = {}};
    job.ended = !is_running(execution.status);  // or rests
    for (auto& step : repository.steps_of(execution.id))
        job.steps.push_back({.name = std::move(step.name),
                             .id = step.id,
                             .status = step.status,
                             .metrics = step.metrics,
                             .started = step.started.value_or(execution.created),
                             .ended = step.ended,
                             .exit_status = std::move(step.exit_status)});
    return job;
}

}  // namespace fermata::cli
