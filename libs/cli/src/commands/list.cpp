#include "../busy.hpp"
#include "../command.hpp"
#include "../execution_view.hpp"
#include "../plain_time.hpp"
#include "../report.hpp"
#include "../status_words.hpp"
#include "../waits.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(STATUS "owner lost": its process died, and fermata recover goes on with it. REASON: the error, what it waits for, or
who has asked it to stop and what still runs.

  fermata list --status failed --since 24h
  fermata list --job nightly -p date=2026-11-21 -o json
)";

class ListCommand final : public Command {
public:
    void describe(Options& options) override {
        takes_any_status(
            options.value("--status", "STATUS", statuses_, "Only these, in any case: failed, stopped, paused…"));
        options.value("--job", "JOB", job_, "Only of this job").complete(Completes::recorded_job);
        options.value("--since", "TIME", since_, "Created since: a time, or how long ago");
        options.value("--until", "TIME", until_, "Created before");
        options.value("--instance", "KEY", key_, "Only of the instance of this key");
        options.value("-p,--param", "K=V", parameters_, "Only with this parameter");
        options.value("--limit", "N", limit_, "No more than this, newest first (50)");
        options.flag("--lost", lost_, "Only those whose owner is lost");
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] ExecutionFilter filter() const;
    std::vector<BatchStatus> statuses_;
    std::optional<std::string> job_;
    std::optional<std::string> key_;
    std::optional<Timestamp> since_;
    std::optional<Timestamp> until_;
    std::vector<Assignment> parameters_;
    std::int64_t limit_ = 50;
    bool lost_ = false;
};

ExecutionFilter ListCommand::filter() const {
    ExecutionFilter filter{.statuses = statuses_,
                           .job_name = job_,
                           .instance = {},
                           .instance_key = key_,
                           .since = since_,
                           .until = until_,
                           .limit = limit_};
    for (const auto& [name, value] : parameters_) filter.parameters[name] = value;
    return filter;
}

std::string stopping_text(const ExecutionView& view) {
    const std::string busy = busy_text(view);
    return fmt::format("asked by {}{}{}", view.execution.stop_requested_by.value_or("somebody"),
                       busy.empty() ? "" : "; ", busy);
}

std::string reason_of(const ExecutionView& view) {
    const JobExecution& execution = view.execution;
    if (auto waits = waits_text(execution); !waits.empty()) {
        const bool tells = !execution.waits.empty() && !execution.waits.front().what.message.empty();
        return waits + (tells ? ": " + execution.waits.front().what.message : "");
    }
    if (execution.status == BatchStatus::stopped && execution.stop_requested_by)
        return "stopped by " + *execution.stop_requested_by;
    if (execution.status == BatchStatus::stopping) return stopping_text(view);
    if (!execution.failure) return {};
    const Failure& failure = *execution.failure;
    return failure.step.empty() ? failure.message : failure.step + ": " + failure.message;
}

std::vector<std::string> cells_of(const ExecutionView& view, const Style& style) {
    const JobExecution& execution = view.execution;
    const Metrics sum = totals_of(view.steps);
    return {std::to_string(execution.id.value()),
            printable(execution.job_name),
            std::to_string(execution.instance_id.value()),
            printable(execution.instance_key.value_or("")),
            decorated_status(execution, style),
            local_time(execution.started.value_or(execution.created)),
            to_human(duration_of(execution.started, execution.ended)),
            fmt::format("{}/{}", steps_done(view), view.steps.size()),
            with_commas(sum.read),
            with_commas(sum.written),
            with_commas(skipped(sum)),
            printable(reason_of(view))};
}

const std::vector<std::string> plain_titles{"ID",   "JOB",     "INSTANCE", "KEY",   "STATUS", "OWNER_LOST",
                                            "EXIT", "CREATED", "STARTED",  "ENDED", "STEPS",  "STEPS_DONE",
                                            "READ", "WRITTEN", "FILTERED", "SKIP",  "REASON"};

std::vector<std::string> plain_cells_of(const ExecutionView& view) {
    const JobExecution& execution = view.execution;
    const Metrics sum = totals_of(view.steps);
    return {std::to_string(execution.id.value()),
            execution.job_name,
            std::to_string(execution.instance_id.value()),
            execution.instance_key.value_or(""),
            std::string(to_string(execution.status)),
            execution.owner_lost ? "true" : "false",
            execution.exit_status.value_or(""),
            to_rfc3339(execution.created),
            plain_time(execution.started),
            plain_time(execution.ended),
            std::to_string(view.steps.size()),
            std::to_string(steps_done(view)),
            std::to_string(sum.read),
            std::to_string(sum.written),
            std::to_string(sum.filtered),
            std::to_string(skipped(sum)),
            reason_of(view)};
}

Row row_of(const ExecutionView& view, const Style& style) {
    return {.cells = cells_of(view, style),
            .object = to_json(view, false),
            .name = std::to_string(view.execution.id.value()),
            .plain = plain_cells_of(view)};
}

/// Few jobs name their instances: the column is there where one does.
void leave_out_empty(std::size_t column, std::vector<Column>& columns, std::vector<Row>& rows) {
    if (std::ranges::any_of(rows, [&](const Row& row) { return !row.cells[column].empty(); })) return;
    const auto at = static_cast<std::ptrdiff_t>(column);
    columns.erase(columns.begin() + at);
    for (Row& row : rows) row.cells.erase(row.cells.begin() + at);
}

ExitCode ListCommand::run(Session& session) {
    constexpr std::size_t key_column = 3;
    std::vector<Column> columns{{"ID", true},   {"JOB"},           {"INSTANCE", true}, {"KEY"},
                                {"STATUS"},     {"STARTED"},       {"DURATION", true}, {"STEPS", true},
                                {"READ", true}, {"WRITTEN", true}, {"SKIP", true},     {"REASON"}};
    std::vector<Row> rows;
    for (auto& execution : session.repository().find_executions(filter()))
        if (!lost_ || execution.owner_lost)
            rows.push_back(row_of(view_of(session, std::move(execution)), session.out().style()));
    leave_out_empty(key_column, columns, rows);
    session.out().rows(columns, rows, plain_titles);
    return ExitCode::ok;
}

}  // namespace

const Descriptor list_command{.name = "list",
                              .group = "Looking",
                              .about = "Executions, newest first",
                              .help = help,
                              .formats = all_formats,
                              .make = make_command<ListCommand>};

}  // namespace fermata::cli
