// Creating executions: launch and restart leave the new one STARTED and owned, submit and submit_restart leave it
// STARTING and nobody's, for a worker; or nothing.
#include "groups.hpp"
#include "impl.hpp"
#include "journal.hpp"
#include "json_text.hpp"
#include "pauses.hpp"
#include "ring.hpp"

#include <fermata/base/id.hpp>
#include <fermata/base/point.hpp>

#include <array>

namespace fermata {
namespace {

sql::Command store_definition(const StoredDefinition& definition) {
    return {"INSERT INTO job_definition (hash, job_name, canonical) VALUES ($1, $2, $3) ON CONFLICT (hash) DO NOTHING",
            {cell(definition.hash), cell(definition.job_name), cell(definition.canonical)}};
}

struct NewExecution {
    JobInstanceId instance;
    std::string_view job_name;
    const std::optional<std::string>& instance_key;
    const Parameters& parameters;
    std::optional<JobExecutionId> restart_of;
    const Worker* worker;  ///< nobody: a worker is to claim it
    bool accept_sink = false;
    bool accept_input = false;
    bool for_workers = false;
};

JobExecutionId insert_execution(sql::Connection& connection, const NewExecution& e, Timestamp now) {
    const BatchStatus status = e.worker != nullptr ? BatchStatus::started : BatchStatus::starting;
    const std::string parameters = json_of(e.parameters);
    std::vector<sql::Command> commands;
    if (e.worker != nullptr) commands.push_back(claim_worker(e.worker->record()));
    commands.push_back(
        {"INSERT INTO job_execution (instance_id, job_name, status, created, started, updated, restart_of, epoch, "
         "owner, accept_sink, accept_input, for_workers, instance_key, parameters) VALUES ($1, $2, $3, $4, $5, $4, $6, "
         "1, "
         "$7, $8, $9, CASE WHEN $10 = 1 THEN 1 ELSE COALESCE((SELECT p.for_workers FROM job_execution p WHERE p.id = "
         "$6), 0) END, $11, $12) RETURNING id",
         {Value(e.instance.value()), cell(e.job_name), cell(to_string(status)), cell(now),
          e.worker != nullptr ? cell(now) : Value(), e.restart_of ? Value(e.restart_of->value()) : Value(),
          e.worker != nullptr ? Value(e.worker->record().id) : Value(), flag_cell(e.accept_sink),
          flag_cell(e.accept_input), flag_cell(e.for_workers), cell(e.instance_key), cell(parameters)}});
    return JobExecutionId{connection.execute_all(commands).back()[0][0].integer()};
}

struct NewInstance {
    JobInstanceId id;
    std::string uuid;
};

// With its definition. Nothing if the key is taken.
std::optional<NewInstance> insert_instance(sql::Connection& connection, const LaunchRequest& request, Timestamp now) {
    std::string uuid = new_uuid();
    const sql::Command both[] = {
        store_definition(request.definition),
        {"INSERT INTO job_instance (uuid, job_name, instance_key, definition_hash, working_directory, created) "
         "VALUES ($1, $2, $3, $4, $5, $6) "
         "ON CONFLICT (job_name, instance_key) WHERE instance_key IS NOT NULL DO NOTHING RETURNING id",
         {cell(uuid), cell(request.definition.job_name), cell(request.instance_key), cell(request.definition.hash),
          cell(request.working_directory), cell(now)}}};
    const sql::Result inserted = std::move(connection.execute_all(both).back());
    if (inserted.empty()) return std::nullopt;
    return NewInstance{JobInstanceId(inserted[0][0].integer()), std::move(uuid)};
}

// Nothing if it was purged meanwhile.
std::optional<InstanceExists> instance_with_key(sql::Connection& connection, const LaunchRequest& request) {
    const sql::Result found = connection.execute(
        "SELECT i.id, (SELECT MAX(e.id) FROM job_execution e WHERE e.instance_id = i.id) FROM job_instance i "
        "WHERE i.job_name = $1 AND i.instance_key = $2",
        {cell(request.definition.job_name), cell(request.instance_key)});
    if (found.empty()) return std::nullopt;
    return InstanceExists{JobInstanceId(found[0][0].integer()), JobExecutionId(found[0][1].integer())};
}

// What is written last about a new execution, together with the commit: its parameters and its first event; a
// submitted one is rung for.
class Beginning {
public:
    Beginning(StoreWrite& write, JobExecutionId execution, const Parameters& parameters, const Worker* worker,
              const std::string& actor, std::string data)
        : event_{.at = write.now(),
                 .execution = execution,
                 .kind = worker == nullptr ? "execution.submitted" : "execution.started",
                 .actor = actor,
                 .data = std::move(data)} {
        sql::Params cells;
        for (const auto& [name, value] : parameters)
            cells.insert(cells.end(), {Value(execution.value()), cell(name), cell(value)});
        append_rows(commands_, "INSERT INTO job_parameter (execution_id, name, value) VALUES ", 3, cells, texts_);
        commands_.push_back(journal(event_));
        if (worker == nullptr) append_ring(commands_, write, work_channel);
    }
    [[nodiscard]] std::span<const sql::Command> commands() const { return commands_; }

private:
    Event event_;
    std::deque<std::string> texts_;
    std::vector<sql::Command> commands_;
};

struct InstanceRow {
    JobInstanceId id;
    std::string uuid;
    std::string job_name;
    std::optional<std::string> key;
};

// Locks the instance, so that of two restarts at once the second sees the first one's execution; and replaces its
// definition, which must be stored before the row can name it.
InstanceRow lock_instance(sql::Connection& connection, JobExecutionId previous,
                          const std::optional<StoredDefinition>& definition) {
    if (definition) connection.execute(store_definition(*definition));
    const sql::Result row = connection.execute(
        "UPDATE job_instance SET definition_hash = COALESCE($2, definition_hash) "
        "WHERE id = (SELECT e.instance_id FROM job_execution e WHERE e.id = $1) RETURNING id, uuid, job_name, "
        "instance_key",
        {Value(previous.value()), definition ? cell(definition->hash) : Value()});
    if (row.empty()) throw no_such_execution(previous);
    RowReader cells(row[0]);
    const JobInstanceId id{cells.integer()};
    std::string uuid = cells.text();
    std::string job_name = cells.text();
    return {id, std::move(uuid), std::move(job_name), cells.optional_text()};
}

std::string owner_text(const Standing& standing, const LivenessEvidence& evidence) {
    if (!standing.owner) return evidence.evidence;
    return fmt::format("pid {} on {}: {}", standing.owner->process.pid, standing.owner->host, evidence.evidence);
}

// The order of the checks is the specification's (§10.9.7): what the caller hears first does not depend on chance.
std::optional<RestartRefused> refusal(const Standing& standing, const RestartRequest& request,
                                      const LivenessEvidence& owner) {
    using Reason = RestartRefused::Reason;
    const RestartRefused refused{.status = standing.status, .latest = standing.latest};
    const auto because = [&](Reason reason, std::string text = {}) {
        RestartRefused answer = refused;
        answer.reason = reason;
        answer.owner = std::move(text);
        return answer;
    };
    if (standing.latest != standing.execution) return because(Reason::not_most_recent);
    if (standing.status == BatchStatus::completed) return because(Reason::already_complete);
    if (standing.status == BatchStatus::abandoned) return because(Reason::abandoned);
    if (standing.status == BatchStatus::paused || awaits_owner(standing)) return because(Reason::waits);
    if (is_running(standing.status) && owner.liveness != Liveness::dead)
        return because(Reason::running, owner_text(standing, owner));
    if (!request.restartable) return because(Reason::not_restartable);
    return std::nullopt;
}

std::string restart_facts(const RestartRequest& request, JobExecutionId previous, const InstanceRow& instance) {
    return facts({{"job", std::string_view(instance.job_name)},
                  {"instance", instance.id.value()},
                  {"restart_of", previous.value()},
                  {"definition", request.definition ? fact(request.definition->hash) : Fact()},
                  {"accept_sink", request.accept_sink ? Fact(true) : Fact()},
                  {"accept_input", request.accept_input ? Fact(true) : Fact()}});
}

// A new execution exists, or the transaction that was to make it has ended without it: it holds the worker's row; and
// its session was ended before this look.
bool was_committed(StoreWrite& look, const Worker* worker, JobExecutionId execution) {
    if (worker != nullptr) look->execute(claim_worker(worker->record()));
    return !look->execute("SELECT 1 FROM job_execution WHERE id = $1", {Value(execution.value())}).empty();
}

// Only a purge that deletes the definition or the instance at the same instant gets in our way; then they are made
// anew.
template <class Verb>
void despite_purge(Verb&& verb) {
    constexpr int attempts = 5;
    for (int left = attempts; left > 1; --left) {
        try {
            return verb();
        } catch (const ConstraintError&) {
            // The last attempt tells.
        }
    }
    verb();
}

std::string launch_facts(const LaunchRequest& request, std::int64_t instance) {
    return facts({{"job", std::string_view(request.definition.job_name)},
                  {"instance", instance},
                  {"instance_key", fact(request.instance_key)},
                  {"definition", std::string_view(request.definition.hash)}});
}

// --- what is submitted to a server: all rows in one statement, in one round trip

constexpr std::size_t most_in_one_statement = 500;

constexpr std::size_t fixed_parameters = 12;

/// `more` stands behind the columns of the answer.
std::string submit_sql(std::size_t parameters, std::string_view more) {
    static const std::array<ValuesColumn, 2> columns{{{"name", "TEXT"}, {"value", "TEXT"}}};
    std::string inserted;
    if (parameters > 0)
        inserted = fmt::format(
            "parameter AS (INSERT INTO job_parameter (execution_id, name, value) SELECT e.id, v.name, v.value FROM "
            "execution e CROSS JOIN {}), ",
            values(parameters, columns, fixed_parameters));
    return fmt::format(
        "WITH definition AS (INSERT INTO job_definition (hash, job_name, canonical) VALUES ($1, $2, $3) ON CONFLICT "
        "(hash) DO NOTHING), instance AS (INSERT INTO job_instance (uuid, job_name, instance_key, definition_hash, "
        "working_directory, created) VALUES ($4, $2, $5, $1, $6, $7) ON CONFLICT (job_name, instance_key) WHERE "
        "instance_key IS NOT NULL DO NOTHING RETURNING id), execution AS (INSERT INTO job_execution (instance_id, "
        "job_name, instance_key, parameters, status, created, updated, epoch, for_workers) SELECT id, $2, $5, CAST($12 "
        "AS TEXT), 'STARTING', $7, $7, 1, CAST($8 AS BIGINT) FROM instance RETURNING id, instance_id), {}entry AS "
        "(INSERT INTO event (at, execution_id, kind, "
        "actor, data) SELECT $7, id, 'execution.submitted', CAST($9 AS TEXT), CAST($10 AS TEXT) || instance_id || "
        "CAST($11 AS TEXT) FROM execution) SELECT id, instance_id{} FROM execution",
        inserted, more);
}

/// One submission, and its texts for as long as it is tried.
class Submission {
public:
    explicit Submission(const LaunchRequest& request)
        : request_(request), around_(around_number("instance", launch_facts(request, 0))) {}
    std::variant<Claim, InstanceExists> made(Store& store) {
        store.transact([&](StoreWrite& write) { make(write); }, [&](StoreWrite& look) { return is_there(look); });
        return answer_;
    }

private:
    // A key may be taken: then nothing may be left behind, so that is known before the commit.
    void make(StoreWrite& write) {
        sql_ = submit_sql(request_.parameters.size(), offer_column(write, "id", "$1") + write.early_column());
        std::vector<sql::Command> last;
        sql::Result inserted;
        if (request_.instance_key) {
            inserted = write->execute(statement(write));
            if (inserted.empty()) return answer_with_existing(*write);
        } else {
            last.push_back(statement(write));
        }
        FERMATA_POINT("launch.before-commit");
        const std::vector<sql::Result> results = write.commit_early(last);
        write.send_to_disk();
        write.wait_for_disk();  // the workers do not
        FERMATA_POINT("launch.after-commit");
        take(request_.instance_key ? inserted : results.front());
    }
    [[nodiscard]] sql::Command statement(StoreWrite& write) const {
        const StoredDefinition& definition = request_.definition;
        sql::Command command{sql_,
                             {cell(definition.hash), cell(definition.job_name), cell(definition.canonical), cell(uuid_),
                              cell(request_.instance_key), cell(request_.working_directory), cell(write.now()),
                              flag_cell(request_.for_workers), cell(request_.actor), cell(around_.first),
                              cell(around_.second), cell(parameters_)}};
        for (const auto& [name, value] : request_.parameters)
            command.params.insert(command.params.end(), {cell(name), cell(value)});
        return command;
    }
    void answer_with_existing(sql::Connection& connection) {
        const auto exists = instance_with_key(connection, request_);
        if (!exists) throw ConstraintError("the instance with this key was purged just now");
        answer_ = *exists;
    }
    // By its name of its own: its numbers went with the answer. What is there may not be on disk yet.
    bool is_there(StoreWrite& look) {
        const sql::Result found = look->execute(
            "SELECT e.id, i.id FROM job_instance i JOIN job_execution e ON e.instance_id = i.id WHERE i.job_name = $1 "
            "AND i.uuid = $2",
            {cell(request_.definition.job_name), cell(uuid_)});
        if (found.empty()) return false;
        look.commit_early();
        look.send_to_disk();
        look.wait_for_disk();
        take(found);
        return true;
    }
    void take(const sql::Result& row) {
        answer_ = Claim{JobExecutionId(row[0][0].integer()), JobInstanceId(row[0][1].integer()), uuid_, 1};
    }

    const LaunchRequest& request_;
    std::pair<std::string, std::string> around_;
    std::string parameters_ = json_of(request_.parameters);
    std::string sql_;
    std::string uuid_ = new_uuid();
    std::variant<Claim, InstanceExists> answer_;
};

std::variant<Claim, InstanceExists> submit_at_once(Store& store, const LaunchRequest& request) {
    std::variant<Claim, InstanceExists> answer;
    despite_purge([&] { answer = Submission(request).made(store); });
    return answer;
}

// SQLite cannot insert within WITH, and has no round trips.
bool goes_at_once(const Store& store, const LaunchRequest& request) {
    return !store.database.dialect().for_update.empty() && request.parameters.size() <= most_in_one_statement;
}

std::variant<Claim, InstanceExists> create(Store& store, const LaunchRequest& request, const Worker* worker) {
    std::variant<Claim, InstanceExists> answer;
    const auto verb = [&](StoreWrite& write) {
        const auto instance = insert_instance(*write, request, write.now());
        if (!instance) {
            const auto exists = instance_with_key(*write, request);
            if (!exists) throw ConstraintError("the instance with this key was purged just now");
            answer = *exists;
            return;
        }
        const JobExecutionId id = insert_execution(*write,
                                                   {.instance = instance->id,
                                                    .job_name = request.definition.job_name,
                                                    .instance_key = request.instance_key,
                                                    .parameters = request.parameters,
                                                    .restart_of = {},
                                                    .worker = worker,
                                                    .for_workers = request.for_workers},
                                                   write.now());
        answer = Claim{id, instance->id, instance->uuid, 1};
        const Beginning beginning(write, id, request.parameters, worker, request.actor,
                                  launch_facts(request, instance->id.value()));
        FERMATA_POINT("launch.before-commit");
        write.commit(beginning.commands());
        FERMATA_POINT("launch.after-commit");
    };
    despite_purge([&] {
        store.transact(
            verb, [&](StoreWrite& look) { return was_committed(look, worker, std::get<Claim>(answer).execution); });
    });
    return answer;
}

std::variant<Claim, RestartRefused> create_again(Store& store, const std::filesystem::path& data_folder,
                                                 JobExecutionId previous, const RestartRequest& request,
                                                 const Worker* worker) {
    std::variant<Claim, RestartRefused> answer;
    std::optional<Standing> lost;
    const auto verb = [&](StoreWrite& write) {
        lost.reset();
        const InstanceRow instance = lock_instance(*write, previous, request.definition);
        Standing standing = locked_standing_of(write, previous);
        const bool running = is_running(standing.status);
        const LivenessEvidence owner = running ? owner_evidence(standing, data_folder) : LivenessEvidence{};
        if (auto refused = refusal(standing, request, owner)) {
            answer = std::move(*refused);
            return;
        }
        if (running) {
            end_lost(write, standing, owner.evidence, request.actor);
            lost = standing;
        }
        const JobExecutionId id =
            insert_execution(*write,
                             {instance.id, instance.job_name, instance.key, request.parameters, previous, worker,
                              request.accept_sink, request.accept_input, request.for_workers},
                             write.now());
        answer = Claim{id, instance.id, instance.uuid, 1};
        const Beginning beginning(write, id, request.parameters, worker, request.actor,
                                  restart_facts(request, previous, instance));
        FERMATA_POINT("restart.before-commit");
        write.commit(beginning.commands());
        FERMATA_POINT("restart.after-commit");
    };
    despite_purge([&] {
        store.transact(
            verb, [&](StoreWrite& look) { return was_committed(look, worker, std::get<Claim>(answer).execution); });
    });
    if (lost) remove_owner_file(*lost, data_folder);
    return answer;
}

template <class Otherwise>
std::variant<JobExecutionId, Otherwise> submitted(const std::variant<Claim, Otherwise>& answer) {
    if (const auto* claim = std::get_if<Claim>(&answer)) return claim->execution;
    return std::get<Otherwise>(answer);
}

}  // namespace

std::variant<Claim, InstanceExists> Repository::launch(const LaunchRequest& request, Worker& worker) {
    return create(*impl_, request, &worker);
}

std::variant<JobExecutionId, InstanceExists> Repository::submit(const LaunchRequest& request) {
    return submitted(goes_at_once(*impl_, request) ? submit_at_once(*impl_, request)
                                                   : create(*impl_, request, nullptr));
}

std::variant<Claim, RestartRefused> Repository::restart(JobExecutionId previous, const RestartRequest& request,
                                                        Worker& worker) {
    return create_again(*impl_, data_folder_, previous, request, &worker);
}

std::variant<JobExecutionId, RestartRefused> Repository::submit_restart(JobExecutionId previous,
                                                                        const RestartRequest& request) {
    return submitted(create_again(*impl_, data_folder_, previous, request, nullptr));
}

}  // namespace fermata
