#include "schema.hpp"

#include <fermata/base/text.hpp>
#include <fermata/model/status.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

namespace fermata {
namespace {

// Why some references have no foreign key: deleting a row makes the engine look for rows that name it, so each key
// needs an index, and each index costs at every launch. `restart_of` and `last_execution` stay within one instance,
// which is purged as a whole; `verify` checks them. The owner's key is deferred because the row of a worker goes
// just before the last execution it owns lets go of it. The index of what waits for a worker is by job, since a worker
// asks for its own jobs, and holds only what waits: a claim costs the same whatever the history. So do those of
// partitions for workers: a step says that it `offers` some (1; 2: no more, its step has failed already), a partition
// in which place it is `offered` (0: it is not): whoever gives up its turn goes behind all others, and what its worker
// has lost is in front. And `ran_by` tells for people who had it last. Its owner has no key: the row of a worker is
// deleted only when it owns no partition, and verify looks. Nor has an event its execution's, which was much of what an
// event cost: whoever writes one changes or locks the execution, or a row that cannot be without it, in the same
// transaction. An execution has its instance's name and key, and its parameters as a JSON object: a list of executions
// is read from their rows alone, in a third of the time; what is looked for by a parameter is found in job_parameter.
constexpr std::string_view tables = R"sql(
CREATE TABLE schema_version (version BIGINT NOT NULL PRIMARY KEY);
CREATE TABLE repository (uuid TEXT NOT NULL PRIMARY KEY, created BIGINT NOT NULL);

CREATE TABLE purge_in_progress (instance_id BIGINT NOT NULL PRIMARY KEY);

CREATE TABLE worker (
    id {key} NOT NULL PRIMARY KEY,
    incarnation TEXT NOT NULL,
    pid BIGINT NOT NULL, start_ticks BIGINT NOT NULL,
    host TEXT NOT NULL, boot_id TEXT NOT NULL, user_name TEXT NOT NULL,
    device BIGINT NOT NULL, inode BIGINT NOT NULL,
    started BIGINT NOT NULL,
    name TEXT NOT NULL, slots BIGINT NOT NULL DEFAULT 0 CHECK (slots >= 0), draining BIGINT NOT NULL DEFAULT 0,
    lease BIGINT, dead BIGINT NOT NULL DEFAULT 0, sessions TEXT);

CREATE TABLE worker_job (
    worker BIGINT NOT NULL REFERENCES worker (id) ON DELETE CASCADE,
    job_name TEXT NOT NULL, definition_hash TEXT NOT NULL,
    PRIMARY KEY (worker, job_name, definition_hash));

CREATE TABLE job_definition (
    hash TEXT NOT NULL PRIMARY KEY, job_name TEXT NOT NULL, canonical TEXT NOT NULL);

CREATE TABLE job_instance (
    id {auto_id},
    uuid TEXT NOT NULL,
    job_name TEXT NOT NULL,
    instance_key TEXT,
    definition_hash TEXT NOT NULL REFERENCES job_definition (hash),
    working_directory TEXT NOT NULL,
    created BIGINT NOT NULL);

CREATE TABLE job_execution (
    id {auto_id},
    instance_id BIGINT NOT NULL REFERENCES job_instance (id),
    job_name TEXT NOT NULL, instance_key TEXT, parameters TEXT NOT NULL DEFAULT '{{}}',
    status TEXT NOT NULL, exit_status TEXT,
    created BIGINT NOT NULL, started BIGINT, ended BIGINT, updated BIGINT NOT NULL,
    restart_of BIGINT, restart_from TEXT,
    error_class TEXT, error_message TEXT, error_step TEXT, error_position TEXT,
    epoch BIGINT NOT NULL,
    owner BIGINT REFERENCES worker (id) DEFERRABLE INITIALLY DEFERRED,
    stop_requested_by TEXT, stop_requested_at BIGINT,
    stop_now BIGINT NOT NULL DEFAULT 0,
    pauses BIGINT NOT NULL DEFAULT 0, pause_now BIGINT NOT NULL DEFAULT 0,
    passed BIGINT NOT NULL DEFAULT 0, rests BIGINT NOT NULL DEFAULT 0, outside_pause BIGINT NOT NULL DEFAULT 0,
    accept_sink BIGINT NOT NULL DEFAULT 0, accept_input BIGINT NOT NULL DEFAULT 0,
    cuts BIGINT NOT NULL DEFAULT 0, for_workers BIGINT NOT NULL DEFAULT 0);

CREATE TABLE job_parameter (
    execution_id BIGINT NOT NULL REFERENCES job_execution (id), name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (execution_id, name));

CREATE TABLE step_execution (
    id {auto_id},
    execution_id BIGINT NOT NULL REFERENCES job_execution (id),
    step TEXT NOT NULL,
    status TEXT NOT NULL, exit_status TEXT,
    started BIGINT NOT NULL, ended BIGINT, updated BIGINT NOT NULL,
    read BIGINT NOT NULL DEFAULT 0, written BIGINT NOT NULL DEFAULT 0, filtered BIGINT NOT NULL DEFAULT 0,
    read_skips BIGINT NOT NULL DEFAULT 0, process_skips BIGINT NOT NULL DEFAULT 0,
    write_skips BIGINT NOT NULL DEFAULT 0,
    commits BIGINT NOT NULL DEFAULT 0, rollbacks BIGINT NOT NULL DEFAULT 0,
    error_class TEXT, error_message TEXT, error_step TEXT, error_position TEXT,
    user_data {bytes},
    partitions BIGINT, threads BIGINT, offers BIGINT NOT NULL DEFAULT 0,
    cut_by TEXT, cut_at BIGINT, cut_now BIGINT NOT NULL DEFAULT 0, cut_after BIGINT, cut_position TEXT);

CREATE TABLE partition_execution (
    step_execution_id BIGINT NOT NULL REFERENCES step_execution (id), partition BIGINT NOT NULL,
    properties TEXT NOT NULL,
    status TEXT NOT NULL, exit_status TEXT,
    started BIGINT, ended BIGINT,
    read BIGINT NOT NULL DEFAULT 0, written BIGINT NOT NULL DEFAULT 0, filtered BIGINT NOT NULL DEFAULT 0,
    read_skips BIGINT NOT NULL DEFAULT 0, process_skips BIGINT NOT NULL DEFAULT 0,
    write_skips BIGINT NOT NULL DEFAULT 0,
    commits BIGINT NOT NULL DEFAULT 0, rollbacks BIGINT NOT NULL DEFAULT 0,
    error_class TEXT, error_message TEXT, error_step TEXT, error_position TEXT,
    cut BIGINT NOT NULL DEFAULT 0,
    offered BIGINT NOT NULL DEFAULT 0, owner BIGINT, ran_by TEXT,
    PRIMARY KEY (step_execution_id, partition));

CREATE TABLE partition_data (
    step_execution_id BIGINT NOT NULL REFERENCES step_execution (id), partition BIGINT NOT NULL,
    number BIGINT NOT NULL, data {bytes} NOT NULL,
    PRIMARY KEY (step_execution_id, partition, number));

CREATE TABLE step_progress (
    instance_id BIGINT NOT NULL REFERENCES job_instance (id), step TEXT NOT NULL, partition BIGINT NOT NULL,
    status TEXT NOT NULL, exit_status TEXT,
    starts BIGINT NOT NULL, epoch BIGINT NOT NULL,
    last_execution BIGINT NOT NULL,
    deaths BIGINT NOT NULL DEFAULT 0, death_sequence BIGINT NOT NULL DEFAULT 0, intent TEXT,
    generation BIGINT NOT NULL DEFAULT 0, sequence BIGINT NOT NULL DEFAULT 0,
    read BIGINT NOT NULL DEFAULT 0, written BIGINT NOT NULL DEFAULT 0, filtered BIGINT NOT NULL DEFAULT 0,
    read_skips BIGINT NOT NULL DEFAULT 0, process_skips BIGINT NOT NULL DEFAULT 0,
    write_skips BIGINT NOT NULL DEFAULT 0,
    commits BIGINT NOT NULL DEFAULT 0, rollbacks BIGINT NOT NULL DEFAULT 0,
    reader {bytes}, writer {bytes}, side_outputs {bytes},
    skips_used BIGINT NOT NULL DEFAULT 0, retries_used BIGINT NOT NULL DEFAULT 0,
    replay_left BIGINT NOT NULL DEFAULT 0,
    user_data {bytes}, set_exit_status TEXT,
    exhausted BIGINT NOT NULL DEFAULT 0, publishing BIGINT NOT NULL DEFAULT 0,
    pause_request TEXT, own_pause BIGINT NOT NULL DEFAULT 0, outside_pause BIGINT NOT NULL DEFAULT 0,
    updated BIGINT NOT NULL,
    PRIMARY KEY (instance_id, step, partition));

CREATE TABLE instance_sink (
    instance_id BIGINT NOT NULL REFERENCES job_instance (id), url TEXT NOT NULL, sink_table TEXT NOT NULL);

CREATE TABLE walk (
    execution_id BIGINT NOT NULL REFERENCES job_execution (id), scope TEXT NOT NULL, number BIGINT NOT NULL,
    step TEXT NOT NULL, outcome TEXT NOT NULL, status TEXT NOT NULL, exit_status TEXT, job_exit_status TEXT,
    steps TEXT NOT NULL, taken TEXT NOT NULL, target TEXT NOT NULL,
    error_class TEXT, error_message TEXT, error_step TEXT, error_position TEXT, pause BIGINT NOT NULL DEFAULT 0,
    PRIMARY KEY (execution_id, scope, number));

CREATE TABLE pause (
    execution_id BIGINT NOT NULL REFERENCES job_execution (id), epoch BIGINT NOT NULL CHECK (epoch > 0),
    kind TEXT NOT NULL CHECK (kind = 'within' OR kind = 'after' OR kind = 'outside'),
    point TEXT NOT NULL, message TEXT NOT NULL, element TEXT NOT NULL, partition BIGINT,
    opened BIGINT NOT NULL, opened_by TEXT NOT NULL,
    signals BIGINT NOT NULL CHECK (signals > 0), counted BIGINT NOT NULL DEFAULT 0,
    timeout BIGINT, deadline BIGINT, on_timeout TEXT NOT NULL
        CHECK (on_timeout = 'fail' OR on_timeout = 'stop' OR on_timeout = 'resume'),
    notify TEXT, notifier TEXT, notified BIGINT,
    completed BIGINT, completed_by TEXT, how TEXT,
    PRIMARY KEY (execution_id, epoch),
    CHECK ((completed IS NULL) = (completed_by IS NULL)), CHECK ((completed IS NULL) = (how IS NULL)));

CREATE TABLE signal (
    id {next_id},
    execution_id BIGINT NOT NULL REFERENCES job_execution (id),
    point TEXT NOT NULL, signal_key TEXT NOT NULL,
    payload TEXT, sender TEXT NOT NULL, at BIGINT NOT NULL,
    pause BIGINT, answer TEXT NOT NULL, counted BIGINT, needed BIGINT);

CREATE TABLE event (
    id {next_id},
    at BIGINT NOT NULL,
    execution_id BIGINT,
    kind TEXT NOT NULL, actor TEXT NOT NULL, data TEXT NOT NULL);
)sql";

// PostgreSQL refuses index entries over 2.7 kB, so only the beginning of a parameter's value is indexed. Statuses are
// indexed once they are final: an execution that runs, pauses and is resumed changes hardly an index, and those that
// have not ended are few.
constexpr std::string_view indexes = R"sql(
CREATE UNIQUE INDEX job_instance_key ON job_instance (job_name, instance_key) WHERE instance_key IS NOT NULL;
CREATE INDEX job_instance_by_key ON job_instance (instance_key) WHERE instance_key IS NOT NULL;
CREATE INDEX job_instance_name ON job_instance (job_name, id);
CREATE INDEX job_instance_definition ON job_instance (definition_hash);
CREATE UNIQUE INDEX job_execution_live ON job_execution (instance_id) WHERE ended IS NULL;
CREATE INDEX job_execution_unfinished ON job_execution (id) WHERE ended IS NULL;
CREATE INDEX job_execution_owner ON job_execution (owner) WHERE owner IS NOT NULL;
CREATE INDEX job_execution_waiting ON job_execution (job_name, id) WHERE status = 'STARTING' AND owner IS NULL;
CREATE INDEX worker_job_definition ON worker_job (definition_hash);
CREATE INDEX job_execution_instance ON job_execution (instance_id, id);
CREATE INDEX job_execution_job ON job_execution (job_name, id);
CREATE INDEX job_execution_job_status ON job_execution (job_name, status, id) WHERE ended IS NOT NULL;
CREATE INDEX job_execution_status ON job_execution (status, id) WHERE ended IS NOT NULL;
CREATE INDEX job_parameter_value ON job_parameter (name, substr(value, 1, 200), execution_id);
CREATE INDEX step_execution_execution ON step_execution (execution_id, id);
CREATE INDEX step_execution_cut ON step_execution (execution_id) WHERE cut_by IS NOT NULL;
CREATE INDEX step_execution_offers ON step_execution (id) WHERE offers = 1 AND ended IS NULL;
CREATE INDEX partition_execution_offered ON partition_execution (step_execution_id, offered, partition)
    WHERE offered > 0;
CREATE INDEX partition_execution_owner ON partition_execution (owner) WHERE owner IS NOT NULL;
CREATE INDEX partition_execution_ran ON partition_execution (step_execution_id, partition) WHERE ran_by IS NOT NULL;
CREATE INDEX instance_sink_instance ON instance_sink (instance_id);
CREATE INDEX event_execution ON event (execution_id, id);
CREATE INDEX pause_open ON pause (execution_id, epoch) WHERE completed IS NULL;
CREATE INDEX pause_due ON pause (deadline) WHERE completed IS NULL AND deadline IS NOT NULL;
CREATE INDEX pause_untold ON pause (execution_id) WHERE completed IS NULL AND notify IS NOT NULL AND notified IS NULL;
CREATE UNIQUE INDEX signal_once ON signal (execution_id, point, signal_key);
CREATE INDEX signal_buffered ON signal (execution_id, point, id) WHERE answer = 'buffered' AND pause IS NULL;
CREATE INDEX signal_pause ON signal (execution_id, pause, id);
)sql";

// Columns of Spring Batch's schema, so that its dashboards and SQL read a Fermata repository. There a partition is one
// more step execution, "step:partition7"; here their ids are below 0, so that none is another step's. WITH keeps
// PostgreSQL from passing changes of such a plain view on to the table.
constexpr std::string_view views = R"sql(
CREATE VIEW BATCH_JOB_INSTANCE AS WITH read_only AS (SELECT 1)
SELECT id AS JOB_INSTANCE_ID, 0 AS VERSION, job_name AS JOB_NAME, COALESCE(instance_key, uuid) AS JOB_KEY
FROM job_instance;

CREATE VIEW BATCH_JOB_EXECUTION AS WITH read_only AS (SELECT 1)
SELECT id AS JOB_EXECUTION_ID, epoch AS VERSION, instance_id AS JOB_INSTANCE_ID,
    {created} AS CREATE_TIME, {started} AS START_TIME, {ended} AS END_TIME,
    status AS STATUS, COALESCE(exit_status, 'UNKNOWN') AS EXIT_CODE, COALESCE(error_message, '') AS EXIT_MESSAGE,
    {updated} AS LAST_UPDATED
FROM job_execution;

CREATE VIEW BATCH_JOB_EXECUTION_PARAMS AS WITH read_only AS (SELECT 1)
SELECT execution_id AS JOB_EXECUTION_ID, name AS PARAMETER_NAME, 'java.lang.String' AS PARAMETER_TYPE,
    value AS PARAMETER_VALUE, 'N' AS IDENTIFYING
FROM job_parameter;

CREATE VIEW BATCH_STEP_EXECUTION AS
SELECT s.id AS STEP_EXECUTION_ID, COALESCE(p.sequence, s.commits) AS VERSION, s.step AS STEP_NAME,
    s.execution_id AS JOB_EXECUTION_ID,
    {s_started} AS CREATE_TIME, {s_started} AS START_TIME, {s_ended} AS END_TIME, s.status AS STATUS,
    COALESCE(p.commits, s.commits) AS COMMIT_COUNT, COALESCE(p.read, s.read) AS READ_COUNT,
    COALESCE(p.filtered, s.filtered) AS FILTER_COUNT, COALESCE(p.written, s.written) AS WRITE_COUNT,
    COALESCE(p.read_skips, s.read_skips) AS READ_SKIP_COUNT,
    COALESCE(p.write_skips, s.write_skips) AS WRITE_SKIP_COUNT,
    COALESCE(p.process_skips, s.process_skips) AS PROCESS_SKIP_COUNT,
    COALESCE(p.rollbacks, s.rollbacks) AS ROLLBACK_COUNT,
    COALESCE(s.exit_status, 'EXECUTING') AS EXIT_CODE, COALESCE(s.error_message, '') AS EXIT_MESSAGE,
    {s_updated} AS LAST_UPDATED
FROM step_execution s
JOIN job_execution e ON e.id = s.execution_id
LEFT JOIN step_progress p
    ON p.instance_id = e.instance_id AND p.step = s.step AND p.partition = 0 AND p.last_execution = s.id AND
    s.ended IS NULL
UNION ALL
SELECT -(s.id * 1048576 + x.partition) AS STEP_EXECUTION_ID, COALESCE(p.sequence, x.commits) AS VERSION,
    s.step || ':partition' || x.partition AS STEP_NAME, s.execution_id AS JOB_EXECUTION_ID,
    {s_started} AS CREATE_TIME, {x_started} AS START_TIME, {x_ended} AS END_TIME, x.status AS STATUS,
    COALESCE(p.commits, x.commits) AS COMMIT_COUNT, COALESCE(p.read, x.read) AS READ_COUNT,
    COALESCE(p.filtered, x.filtered) AS FILTER_COUNT, COALESCE(p.written, x.written) AS WRITE_COUNT,
    COALESCE(p.read_skips, x.read_skips) AS READ_SKIP_COUNT,
    COALESCE(p.write_skips, x.write_skips) AS WRITE_SKIP_COUNT,
    COALESCE(p.process_skips, x.process_skips) AS PROCESS_SKIP_COUNT,
    COALESCE(p.rollbacks, x.rollbacks) AS ROLLBACK_COUNT,
    COALESCE(x.exit_status, 'EXECUTING') AS EXIT_CODE, COALESCE(x.error_message, '') AS EXIT_MESSAGE,
    {x_updated} AS LAST_UPDATED
FROM partition_execution x
JOIN step_execution s ON s.id = x.step_execution_id
JOIN job_execution e ON e.id = s.execution_id
LEFT JOIN step_progress p
    ON p.instance_id = e.instance_id AND p.step = s.step AND p.partition = x.partition + 1 AND
    p.last_execution = s.id AND x.started IS NOT NULL AND x.ended IS NULL;

CREATE VIEW BATCH_STEP_EXECUTION_CONTEXT AS
SELECT s.id AS STEP_EXECUTION_ID, COALESCE({progress_data}, {step_data}, '{{}}') AS SHORT_CONTEXT,
    NULL AS SERIALIZED_CONTEXT
FROM step_execution s
JOIN job_execution e ON e.id = s.execution_id
LEFT JOIN step_progress p
    ON p.instance_id = e.instance_id AND p.step = s.step AND p.partition = 0 AND p.last_execution = s.id AND
    s.ended IS NULL;

CREATE VIEW BATCH_JOB_EXECUTION_CONTEXT AS
SELECT id AS JOB_EXECUTION_ID, '{{}}' AS SHORT_CONTEXT, NULL AS SERIALIZED_CONTEXT FROM job_execution;
)sql";

std::string lower(std::string text) {
    std::ranges::transform(text, text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return text;
}

std::string_view name_of(Subject subject) {
    if (subject == Subject::partition_execution) return "partition_execution";
    return subject == Subject::job_execution ? "job_execution" : "step_execution";
}

// No IN: SQLite makes a table of its list each time a guard looks.
std::string is_one_of(std::string_view status, const std::vector<BatchStatus>& statuses) {
    std::string any;
    for (const BatchStatus one : statuses)
        any += fmt::format("{}{} = '{}'", any.empty() ? "(" : " OR ", status, to_string(one));
    return any + ")";
}

// Asked in the guard itself: a look into a table cost PostgreSQL more than the change.
std::string illegal_transition(Subject subject) {
    std::map<BatchStatus, std::vector<BatchStatus>> reachable;
    for (const StatusTransition& t : transitions())
        if (t.subject == subject) reachable[t.from].push_back(t.to);
    std::string cases;
    for (const auto& [from, to] : reachable)
        cases += fmt::format("WHEN '{}' THEN NOT {} ", to_string(from), is_one_of("NEW.status", to));
    return fmt::format("(NEW.status <> OLD.status AND (CASE OLD.status {}ELSE 1 = 1 END))", cases);
}

/// What no row of a table may be, whoever writes it.
struct Sound {
    Subject subject;
    std::vector<BatchStatus> open;  ///< those that have no end
    std::vector<BatchStatus> ended;
    std::string_view more;
};

const std::vector<Sound>& sound_rows() {
    using enum BatchStatus;
    static const std::vector<Sound> all{
        {Subject::job_execution,
         {started, paused, starting, stopping, pausing},
         {completed, failed, stopped, abandoned},
         "NEW.epoch <= 0 OR (NEW.owner IS NOT NULL AND (NEW.ended IS NOT NULL OR NEW.status = 'PAUSED'))"},
        {Subject::step_execution,
         {started, paused, starting, stopping},
         {completed, failed, stopped},
         "(NEW.cut_by IS NULL) <> (NEW.cut_at IS NULL) OR (NEW.cut_after IS NOT NULL AND NEW.cut_by IS NULL)"},
        {Subject::partition_execution,
         {started, starting, paused},
         {completed, failed, stopped},
         "(NEW.offered <> 0 AND NOT (NEW.status = 'STARTING' OR NEW.status = 'PAUSED')) OR (NEW.owner IS NOT NULL AND "
         "NEW.status <> 'STARTED')"}};
    return all;
}

std::string unsound(const Sound& sound) {
    return fmt::format("{} <> (NEW.ended IS NULL) OR {}", is_one_of("NEW.status", sound.open), sound.more);
}

// One guard for all that an UPDATE may do wrong, and no CHECKs: PostgreSQL prepares those anew for every statement,
// and each trigger costs, too. Together they took more than half of what a change of a status takes.
std::string status_guards(const sql::Dialect& dialect, const Sound& sound, std::string_view event,
                          std::string_view more) {
    const std::string_view table = name_of(sound.subject);
    return dialect.guard(fmt::format("{}_entered", table), "INSERT", table,
                         fmt::format("NOT ({} OR {}) OR {}", is_one_of("NEW.status", sound.open),
                                     is_one_of("NEW.status", sound.ended), unsound(sound)),
                         fmt::format("a row of {} that cannot be", table)) +
           dialect.guard(fmt::format("{}_transition", table), event, table,
                         fmt::format("{} OR {}{}", illegal_transition(sound.subject), unsound(sound), more),
                         fmt::format("illegal change of a {}", table));
}

std::string history_guard(const sql::Dialect& dialect, std::string_view table) {
    return dialect.guard(fmt::format("{}_kept", table), "DELETE", table, "NOT EXISTS (SELECT 1 FROM purge_in_progress)",
                         fmt::format("history is deleted by purge only ({})", table));
}

// Not CHECKs: PostgreSQL prepares those anew for every chunk's UPDATE, a fifth of its cost, and no chunk changes these.
std::string progress_guards(const sql::Dialect& dialect) {
    using enum BatchStatus;
    // Every chunk changes the sequence: what keeps that from going back asks as little as it can.
    const std::string wrong = fmt::format(
        "NOT {} OR NEW.epoch <= 0", is_one_of("NEW.status", {started, paused, starting, completed, stopped, failed}));
    constexpr std::string_view message = "progress has a status of steps and an epoch above 0";
    constexpr std::string_view back = "progress and epochs never go back";
    return dialect.guard("step_progress_entered", "INSERT", "step_progress", wrong, message) +
           dialect.guard("step_progress_changed", "UPDATE OF status, epoch, generation", "step_progress",
                         fmt::format("{} OR NEW.epoch < OLD.epoch OR NEW.generation < OLD.generation", wrong),
                         fmt::format("{}; {}", message, back)) +
           dialect.guard("step_progress_monotone", "UPDATE OF sequence", "step_progress",
                         "NEW.sequence < OLD.sequence AND (NEW.generation = OLD.generation)", back);
}

std::string guards(const sql::Dialect& dialect) {
    // All but `updated`, the one column that a fence changes.
    constexpr std::string_view of_an_execution =
        "UPDATE OF id, instance_id, job_name, status, exit_status, created, started, ended, restart_of, restart_from, "
        "error_class, error_message, error_step, error_position, epoch, owner, stop_requested_by, stop_requested_at, "
        "stop_now, pauses, pause_now, passed, rests, outside_pause, accept_sink, accept_input, cuts, for_workers";
    std::string sql = status_guards(dialect, sound_rows()[0], of_an_execution,
                                    " OR NEW.epoch < OLD.epoch OR (OLD.ended IS NOT NULL AND NEW.status = OLD.status)");
    sql += dialect.guard("job_execution_final", "UPDATE OF instance_key, parameters", "job_execution", "1 = 1",
                         "what an execution was begun with never changes");
    sql += status_guards(dialect, sound_rows()[1], "UPDATE OF status, ended, cut_by, cut_at, cut_after", "");
    sql += status_guards(dialect, sound_rows()[2], "UPDATE OF status, ended, offered, owner", "");
    sql += progress_guards(dialect);
    sql += dialect.guard("pause_complete", "UPDATE OF epoch, point, counted, completed", "pause",
                         "OLD.completed IS NOT NULL", "a complete pause never changes");
    sql += dialect.guard("signal_acted", "UPDATE", "signal", "OLD.pause IS NOT NULL OR NEW.payload <> OLD.payload",
                         "a signal that has acted never changes");
    // A restart may bring another definition.
    sql += dialect.guard("job_instance_final", "UPDATE OF id, uuid, job_name, instance_key, working_directory, created",
                         "job_instance", "1 = 1", "of an instance only the definition changes");
    for (const std::string_view table : {"job_definition", "job_parameter", "instance_sink", "walk", "event"})
        sql += dialect.guard(fmt::format("{}_final", table), "UPDATE", table, "1 = 1",
                             fmt::format("a row of {} never changes", table));
    for (const std::string_view table :
         {"job_instance", "job_execution", "job_parameter", "step_execution", "partition_execution", "partition_data",
          "step_progress", "instance_sink", "walk", "pause", "signal", "event"})
        sql += history_guard(dialect, table);
    return sql;
}

}  // namespace

std::string schema_sql(const sql::Dialect& dialect) {
    using fmt::arg;
    const auto time = dialect.as_timestamp;
    return fmt::format(fmt::runtime(tables), arg("auto_id", dialect.auto_id), arg("next_id", dialect.next_id),
                       arg("key", dialect.key), arg("bytes", dialect.bytes)) +
           std::string(indexes) + guards(dialect) +
           fmt::format(fmt::runtime(views), arg("created", time("created")), arg("started", time("started")),
                       arg("ended", time("ended")), arg("updated", time("updated")),
                       arg("s_started", time("s.started")), arg("s_ended", time("s.ended")),
                       arg("s_updated", time("s.updated")), arg("x_started", time("x.started")),
                       arg("x_ended", time("x.ended")),
                       arg("x_updated", time("COALESCE(x.ended, p.updated, s.updated)")),
                       arg("progress_data", dialect.bytes_as_text("p.user_data")),
                       arg("step_data", dialect.bytes_as_text("s.user_data")));
}

// Every statement of ours that makes something begins a line: CREATE [UNIQUE] KIND NAME.
std::vector<std::string> schema_objects(const sql::Dialect& dialect) {
    std::vector<std::string> objects;
    for (const std::string& line : split(schema_sql(dialect), '\n')) {
        std::vector<std::string> words = split(line.substr(0, line.find('(')), ' ');
        if (words.front() != "CREATE" || words.size() < 3) continue;
        if (words[1] == "UNIQUE") words.erase(words.begin() + 1);
        if (words[1] == "FUNCTION") continue;  // no trigger is there without its own
        objects.push_back(lower(words[1] + " " + words[2]));
    }
    return objects;
}

}  // namespace fermata
