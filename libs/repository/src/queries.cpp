// Reading for people and programs, on a connection of its own: never waits for a chunk that is being written.
#include "execution_row.hpp"
#include "filter_sql.hpp"
#include "impl.hpp"
#include "pauses.hpp"

#include <algorithm>
#include <functional>
#include <unordered_map>
#include <utility>

namespace fermata {
namespace {

// --- job executions

// With their owners.
std::string select_executions(std::string_view from) {
    return fmt::format("SELECT {}, {} FROM {} LEFT JOIN worker w ON w.id = e.owner", execution_columns, worker_columns,
                       from);
}

// The executions of one answer by their ids; of what belongs to others, that came to be meanwhile, nothing is kept.
class ById {
public:
    explicit ById(std::span<JobExecution> executions) {
        for (JobExecution& e : executions) by_id_.emplace(e.id, &e);
    }
    [[nodiscard]] JobExecution* find(std::int64_t id) const {
        const auto found = by_id_.find(JobExecutionId(id));
        return found == by_id_.end() ? nullptr : found->second;
    }

private:
    std::unordered_map<JobExecutionId, JobExecution*> by_id_;
};

// What is asked for some executions, all with the same parameters; of one text for each kind of filter, so that it is
// prepared once.
struct Questions {
    std::string executions;
    std::string waits;
};

Questions questions_for_one() {
    return {.executions = select_executions("job_execution e") + " WHERE e.id = $1",
            .waits = fmt::format("SELECT p.execution_id, {} FROM pause p WHERE p.execution_id = $1 AND "
                                 "p.completed IS NULL ORDER BY p.epoch",
                                 pause_columns)};
}

// Found in an index alone, in its order, and joined after: an engine that expects few may read and sort them all.
Questions questions_for(const FilterSql& filter) {
    const std::string those = fmt::format("(SELECT e.id AS id {}) those", filter.text());
    return {.executions = select_executions(those + " JOIN job_execution e ON e.id = those.id"),
            .waits = fmt::format("SELECT p.execution_id, {} FROM {} JOIN pause p ON p.execution_id = those.id "
                                 "WHERE p.completed IS NULL ORDER BY p.execution_id, p.epoch",
                                 pause_columns, those)};
}

void add_waits(sql::Connection& connection, std::span<JobExecution> executions, const Questions& questions,
               const sql::Params& params) {
    const auto waits = [](const JobExecution& e) {
        return e.status == BatchStatus::paused || e.status == BatchStatus::pausing;
    };
    if (std::ranges::none_of(executions, waits)) return;
    const ById by_id(executions);
    const sql::Result rows = connection.execute(questions.waits, params);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        if (JobExecution* execution = by_id.find(row.integer())) execution->waits.push_back(read_pause(row));
    }
}

std::vector<JobExecution> read_executions(sql::Connection& connection, const Questions& questions,
                                          const sql::Params& params, const std::filesystem::path& data_folder) {
    const sql::Result found = connection.execute(questions.executions, params);
    auto executions = read_all(found, [&](std::span<const Value> cells) {
        RowReader row(cells);
        return read_execution(row, data_folder);
    });
    add_waits(connection, executions, questions, params);
    return executions;
}

// --- instances

constexpr std::string_view instance_columns =
    "SELECT id, uuid, job_name, instance_key, definition_hash, working_directory, created FROM job_instance ";

JobInstance read_instance(std::span<const Value> cells) {
    RowReader row(cells);
    JobInstance instance;
    instance.id = JobInstanceId(row.integer());
    instance.uuid = row.text();
    instance.job_name = row.text();
    instance.key = row.optional_text();
    instance.definition_hash = row.text();
    instance.working_directory = row.text();
    instance.created = row.time();
    return instance;
}

std::optional<JobInstance> first_instance(const sql::Result& rows) {
    if (rows.empty()) return std::nullopt;
    return read_instance(rows[0]);
}

// --- step executions

// While a step runs, its counters and user data are in step_progress only, where each chunk saves them.
constexpr std::string_view step_select =
    "SELECT s.id, s.execution_id, s.step, s.status, s.exit_status, s.started, s.ended, "
    "COALESCE(p.read, s.read), COALESCE(p.written, s.written), COALESCE(p.filtered, s.filtered), "
    "COALESCE(p.read_skips, s.read_skips), COALESCE(p.process_skips, s.process_skips), "
    "COALESCE(p.write_skips, s.write_skips), COALESCE(p.commits, s.commits), COALESCE(p.rollbacks, s.rollbacks), "
    "s.error_class, s.error_message, s.error_step, s.error_position, COALESCE(p.user_data, s.user_data), s.partitions "
    "FROM step_execution s JOIN job_execution e ON e.id = s.execution_id LEFT JOIN step_progress p ON "
    "p.instance_id = e.instance_id AND p.step = s.step AND p.partition = 0 AND p.last_execution = s.id AND "
    "s.ended IS NULL ";

StepExecution read_step(std::span<const Value> cells) {
    RowReader row(cells);
    StepExecution step;
    step.id = StepExecutionId(row.integer());
    step.execution_id = JobExecutionId(row.integer());
    step.name = row.text();
    step.status = row.status();
    step.exit_status = row.optional_text();
    step.started = row.optional_time();
    step.ended = row.optional_time();
    step.metrics = row.metrics();
    step.failure = row.failure();
    step.user_data = row.optional_text();
    step.partitions = row.optional_integer();
    return step;
}

// A partitioned step that runs counts what its partitions have counted so far.
void add_live_counts(sql::Connection& connection, StepExecution& step) {
    if (!step.partitions || step.ended) return;
    const sql::Result sum = connection.execute(
        "SELECT CAST(COALESCE(SUM(p.read), 0) AS BIGINT), CAST(COALESCE(SUM(p.written), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(p.filtered), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(p.read_skips), 0) AS BIGINT), CAST(COALESCE(SUM(p.process_skips), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(p.write_skips), 0) AS BIGINT), "
        "CAST(COALESCE(SUM(p.commits), 0) AS BIGINT), CAST(COALESCE(SUM(p.rollbacks), 0) AS BIGINT) FROM job_execution "
        "e JOIN step_progress p "
        "ON p.instance_id = e.instance_id AND p.step = $2 AND p.partition > 0 AND p.last_execution = $3 "
        "WHERE e.id = $1",
        {Value(step.execution_id.value()), cell(step.name), Value(step.id.value())});
    RowReader row(sum[0]);
    step.metrics = row.metrics();
}

// --- events

Event read_event(std::span<const Value> cells) {
    RowReader row(cells);
    Event event;
    event.id = row.integer();
    event.at = row.time();
    if (const auto execution = row.optional_integer()) event.execution = JobExecutionId(*execution);
    event.kind = row.text();
    event.actor = row.text();
    event.data = row.text();
    return event;
}

// --- pauses

bool is_answered(const Pause& pause) {
    const bool by_time = pause.how == "timeout" && pause.what.on_timeout == OnTimeout::resume;
    return by_time || pause.how == "signals" || pause.how == "resume" || pause.how == "withdrawn";
}

}  // namespace

std::optional<JobExecution> Repository::find_execution(JobExecutionId execution) {
    static const Questions questions = questions_for_one();
    return impl_->read([&](sql::Connection& connection) -> std::optional<JobExecution> {
        auto found = read_executions(connection, questions, {Value(execution.value())}, data_folder_);
        if (found.empty()) return std::nullopt;
        return std::move(found.front());
    });
}

std::vector<JobExecution> Repository::find_executions(const ExecutionFilter& filter) {
    const FilterSql sql(filter);
    const Questions questions = questions_for(sql);
    auto executions = impl_->read([&](sql::Connection& connection) {
        return read_executions(connection, questions, sql.params(), data_folder_);
    });
    // A join promises no order, but keeps it.
    if (!std::ranges::is_sorted(executions, std::greater{}, &JobExecution::id))
        std::ranges::sort(executions, std::greater{}, &JobExecution::id);
    return executions;
}

std::optional<JobExecutionId> Repository::latest(const std::optional<std::string>& job_name) {
    const sql::Result found =
        job_name ? impl_->select("SELECT MAX(id) FROM job_execution WHERE job_name = $1", {cell(*job_name)})
                 : impl_->select("SELECT MAX(id) FROM job_execution");
    if (found[0][0].is_null()) return std::nullopt;
    return JobExecutionId(found[0][0].integer());
}

std::optional<JobInstance> Repository::find_instance(JobInstanceId instance) {
    static const std::string sql = fmt::format("{}WHERE id = $1", instance_columns);
    return first_instance(impl_->select(sql, {Value(instance.value())}));
}

std::optional<JobInstance> Repository::find_instance(const std::string& job_name, const std::string& key) {
    static const std::string sql = fmt::format("{}WHERE job_name = $1 AND instance_key = $2", instance_columns);
    return first_instance(impl_->select(sql, {cell(job_name), cell(key)}));
}

std::vector<JobInstance> Repository::instances_of(const std::string& job_name, std::int64_t start, std::int64_t count) {
    static const std::string sql =
        fmt::format("{}WHERE job_name = $1 ORDER BY id DESC LIMIT $2 OFFSET $3", instance_columns);
    return read_all(impl_->select(sql, {cell(job_name), Value(count), Value(start)}), read_instance);
}

std::int64_t Repository::instance_count(const std::string& job_name) {
    return impl_->select("SELECT COUNT(*) FROM job_instance WHERE job_name = $1", {cell(job_name)})[0][0].integer();
}

// Hops from name to name in the index; DISTINCT would read every instance.
std::vector<std::string> Repository::job_names() {
    const sql::Result rows = impl_->select(
        "WITH RECURSIVE names (name) AS (SELECT MIN(job_name) FROM job_instance UNION ALL "
        "SELECT (SELECT MIN(i.job_name) FROM job_instance i WHERE i.job_name > names.name) FROM names "
        "WHERE names.name IS NOT NULL) SELECT name FROM names WHERE name IS NOT NULL");
    return read_all(rows, [](std::span<const Value> row) { return std::string(row[0].text()); });
}

std::vector<StepExecution> Repository::steps_of(JobExecutionId execution) {
    static const std::string sql = fmt::format("{}WHERE s.execution_id = $1 ORDER BY s.id", step_select);
    return impl_->read([&](sql::Connection& connection) {
        auto steps = read_all(connection.execute(sql, {Value(execution.value())}), read_step);
        for (StepExecution& step : steps) add_live_counts(connection, step);
        return steps;
    });
}

std::optional<StepExecution> Repository::find_step(StepExecutionId id) {
    static const std::string sql = fmt::format("{}WHERE s.id = $1", step_select);
    return impl_->read([&](sql::Connection& connection) -> std::optional<StepExecution> {
        const sql::Result found = connection.execute(sql, {Value(id.value())});
        if (found.empty()) return std::nullopt;
        StepExecution step = read_step(found[0]);
        add_live_counts(connection, step);
        return step;
    });
}

std::optional<StoredDefinition> Repository::definition_of(JobInstanceId instance) {
    const sql::Result found = impl_->select(
        "SELECT d.hash, d.job_name, d.canonical FROM job_instance i JOIN job_definition d "
        "ON d.hash = i.definition_hash WHERE i.id = $1",
        {Value(instance.value())});
    if (found.empty()) return std::nullopt;
    RowReader row(found[0]);
    StoredDefinition definition;
    definition.hash = row.text();
    definition.job_name = row.text();
    definition.canonical = row.text();
    return definition;
}

std::vector<Pause> Repository::pauses_of(JobExecutionId execution, std::int64_t limit) {
    static const std::string sql =
        fmt::format("SELECT {} FROM pause p WHERE p.execution_id = $1 ORDER BY p.epoch DESC LIMIT $2", pause_columns);
    return read_all(impl_->select(sql, {Value(execution.value()), Value(limit)}), [](std::span<const Value> cells) {
        RowReader row(cells);
        return read_pause(row);
    });
}

std::map<std::string, std::vector<PauseBehind>> Repository::unanswered_pauses(JobInstanceId instance) {
    static const std::string sql = fmt::format(
        "SELECT e.id, {} FROM job_execution e JOIN pause p ON p.execution_id = e.id WHERE e.instance_id = $1 AND "
        "p.kind <> 'within' AND p.element <> '' ORDER BY e.id, p.epoch",
        pause_columns);
    const sql::Result rows = impl_->select(sql, {Value(instance.value())});
    std::map<std::string, std::vector<PauseBehind>> unanswered;
    std::map<std::string, std::int64_t> last;  // execution
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const std::int64_t execution = row.integer();
        Pause pause = read_pause(row);
        std::vector<PauseBehind>& gates = unanswered[pause.element];
        if (std::exchange(last[pause.element], execution) != execution) gates.clear();
        if (!is_answered(pause)) gates.push_back({std::move(pause.what), pause.kind, std::move(pause.opened_by)});
    }
    return unanswered;
}

std::vector<PauseSummary> Repository::pause_summary(JobExecutionId execution) {
    const sql::Result rows = impl_->select(
        "SELECT point, COUNT(*), CAST(SUM(counted) AS BIGINT), MIN(opened), MAX(COALESCE(completed, opened)) "
        "FROM pause WHERE execution_id = $1 GROUP BY point ORDER BY MIN(epoch)",
        {Value(execution.value())});
    return read_all(rows, [](std::span<const Value> cells) {
        RowReader row(cells);
        PauseSummary summary;
        summary.point = row.text();
        summary.pauses = row.integer();
        summary.signals = row.integer();
        summary.first = row.time();
        summary.last = row.time();
        return summary;
    });
}

std::vector<Event> Repository::events_of(JobExecutionId execution, std::string_view kind_prefix, std::int64_t limit) {
    return read_all(
        impl_->select("SELECT id, at, execution_id, kind, actor, data FROM event WHERE execution_id = $1 AND "
                      "substr(kind, 1, length($2)) = $2 ORDER BY id LIMIT $3",
                      {Value(execution.value()), cell(kind_prefix), Value(limit)}),
        read_event);
}

std::vector<Event> Repository::events_after(std::int64_t event_id, std::int64_t limit) {
    return read_all(impl_->select("SELECT id, at, execution_id, kind, actor, data FROM event WHERE id > $1 "
                                  "ORDER BY id LIMIT $2",
                                  {Value(event_id), Value(limit)}),
                    read_event);
}

}  // namespace fermata
