#include "../command.hpp"
#include "../execution_view.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help = R"(  fermata list --status failed --since 24h
  fermata list --job nightly -p date=2026-11-21 -o json
)";

class ListCommand final : public Command {
public:
    void describe(Options& options) override {
        options.value("--status", "STATUS", statuses_, "Only these, in any case: failed, stopped, started…");
        options.value("--job", "JOB", job_, "Only of this job").complete(Completes::job);
        options.value("--since", "TIME", since_, "Created since: a time, or how long ago");
        options.value("--until", "TIME", until_, "Created before");
        options.value("-p,--param", "K=V", parameters_, "Only with this parameter");
        options.value("--limit", "N", limit_, "No more than this, newest first (50)");
        options.flag("--lost", lost_, "Only those whose owner is lost");
    }
    ExitCode run(Session& session) override;

private:
    [[nodiscard]] ExecutionFilter filter() const;
    std::vector<BatchStatus> statuses_;
    std::optional<std::string> job_;
    std::optional<Timestamp> since_;
    std::optional<Timestamp> until_;
    std::vector<Assignment> parameters_;
    std::int64_t limit_ = 50;
    bool lost_ = false;
};

ExecutionFilter ListCommand::filter() const {
    ExecutionFilter filter{
        .statuses = statuses_, .job_name = job_, .instance = {}, .since = since_, .until = until_, .limit = limit_};
    for (const auto& [name, value] : parameters_) filter.parameters[name] = value;
    return filter;
}

std::string steps_text(const ExecutionView& view) {
    std::size_t done = 0;
    for (const auto& step : view.steps) done += step.status == BatchStatus::completed ? 1 : 0;
    return fmt::format("{}/{}", done, view.steps.size());
}

std::string reason_text(const JobExecution& execution) {
    if (!execution.failure) return {};
    const Failure& failure = *execution.failure;
    return printable(failure.step.empty() ? failure.message : failure.step + ": " + failure.message);
}

Row row_of(const ExecutionView& view, const Style& style) {
    const JobExecution& execution = view.execution;
    const Metrics sum = totals_of(view.steps);
    const auto id = std::to_string(execution.id.value());
    return {.cells = {id, printable(execution.job_name), std::to_string(execution.instance_id.value()),
                      decorated_status(execution, style), local_time(execution.started.value_or(execution.created)),
                      to_human(duration_of(execution.started, execution.ended)), steps_text(view),
                      with_commas(sum.read), with_commas(sum.written),
                      with_commas(sum.read_skips + sum.process_skips + sum.write_skips), reason_text(execution)},
            .object = to_json(view, false),
            .name = id};
}

ExitCode ListCommand::run(Session& session) {
    const std::vector<Column> columns{
        {"ID", true},    {"JOB"},        {"INSTANCE", true}, {"STATUS"},     {"STARTED"}, {"DURATION", true},
        {"STEPS", true}, {"READ", true}, {"WRITTEN", true},  {"SKIP", true}, {"REASON"}};
    std::vector<Row> rows;
    for (auto& execution : session.repository().find_executions(filter()))
        if (!lost_ || execution.owner_lost)
            rows.push_back(row_of(view_of(session, std::move(execution)), session.out().style()));
    session.out().rows(columns, rows);
    return ExitCode::ok;
}

}  // namespace

const Descriptor list_command{.name = "list",
                              .group = "Looking",
                              .about = "Executions, newest first",
                              .help = help,
                              .make = make_command<ListCommand>};

}  // namespace fermata::cli
