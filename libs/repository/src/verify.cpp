// The invariants of the store as queries, each of which answers one line for every row that breaks it. They hold by
// construction and by constraint; this looks for the damage of hands, disks and bugs. Reads everything.
#include "impl.hpp"
#include "schema.hpp"

#include <set>

namespace fermata {
namespace {

constexpr std::string_view checks[] = {
    // statuses and times
    "SELECT 'execution ' || id || ' is ' || status || ' but its end time says otherwise' FROM job_execution "
    "WHERE (status IN ('STARTING', 'STARTED', 'STOPPING', 'PAUSING', 'PAUSED')) <> (ended IS NULL)",
    "SELECT 'step execution ' || id || ' (' || step || ') is ' || status || ' but its end time says otherwise' "
    "FROM step_execution WHERE (status IN ('STARTING', 'STARTED', 'STOPPING', 'PAUSED')) <> (ended IS NULL)",
    "SELECT 'execution ' || id || ' is ' || status || ' but owned by worker ' || owner FROM job_execution "
    "WHERE (ended IS NOT NULL OR status = 'PAUSED') AND owner IS NOT NULL",
    "SELECT 'execution ' || id || ' is ' || status || ' but nobody owns it' FROM job_execution "
    "WHERE status IN ('STARTED', 'STOPPING', 'PAUSING') AND owner IS NULL",
    "SELECT 'instance ' || instance_id || ' has ' || COUNT(*) || ' running executions' FROM job_execution "
    "WHERE status IN ('STARTING', 'STARTED', 'STOPPING', 'PAUSING', 'PAUSED') GROUP BY instance_id HAVING COUNT(*) > 1",
    "SELECT 'instance ' || MIN(id) || ' and ' || (COUNT(*) - 1) || ' more of job ' || job_name || "
    "' have the key ' || instance_key FROM job_instance WHERE instance_key IS NOT NULL "
    "GROUP BY job_name, instance_key HAVING COUNT(*) > 1",
    "SELECT 'step execution ' || s.id || ' (' || s.step || ') runs in execution ' || e.id || ', which is ' || e.status "
    "FROM step_execution s JOIN job_execution e ON e.id = s.execution_id "
    "WHERE s.ended IS NULL AND e.ended IS NOT NULL",
    "SELECT 'execution ' || e.id || ' says it restarts execution ' || r.id || ', no earlier one of its instance' FROM "
    "job_execution e JOIN job_execution r ON r.id = e.restart_of WHERE r.id >= e.id OR r.instance_id <> e.instance_id",
    "SELECT 'execution ' || e.id || ' says it restarts execution ' || e.restart_of || ', which does not exist' FROM "
    "job_execution e WHERE e.restart_of IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job_execution r WHERE r.id = "
    "e.restart_of)",

    // counters
    "SELECT 'step execution ' || id || ' (' || step || ') has read ' || read || ' items but accounts for ' || "
    "(written + filtered + process_skips + write_skips) FROM step_execution "
    "WHERE read <> written + filtered + process_skips + write_skips",
    "SELECT 'step ' || step || ' of instance ' || instance_id || ' has read ' || read || ' items but accounts for ' || "
    "(written + filtered + process_skips + write_skips) FROM step_progress "
    "WHERE read <> written + filtered + process_skips + write_skips",

    // progress
    "SELECT 'step ' || p.step || ' of instance ' || p.instance_id || ' names step execution ' || p.last_execution || "
    "', which is not one of its own' FROM step_progress p WHERE NOT EXISTS (SELECT 1 FROM step_execution s JOIN "
    "job_execution e ON e.id = s.execution_id WHERE s.id = p.last_execution AND s.step = p.step AND "
    "e.instance_id = p.instance_id)",
    "SELECT 'step ' || p.step || ' of instance ' || p.instance_id || ' is ' || p.status || ' but its last execution ' "
    "|| s.id || ' is ' || s.status FROM step_progress p JOIN step_execution s ON s.id = p.last_execution "
    "WHERE p.partition = 0 AND p.status <> s.status",
    "SELECT 'step ' || p.step || ' of instance ' || p.instance_id || ' differs in its counters from its last execution "
    "' || s.id FROM step_progress p JOIN step_execution s ON s.id = p.last_execution WHERE p.partition = 0 AND s.ended "
    "IS NOT NULL AND "
    "(p.read <> s.read OR p.written <> s.written OR p.filtered <> s.filtered OR p.read_skips <> s.read_skips OR "
    "p.process_skips <> s.process_skips OR p.write_skips <> s.write_skips OR p.commits <> s.commits OR "
    "p.rollbacks <> s.rollbacks)",
    "SELECT 'step execution ' || s.id || ' (' || s.step || ') has no row of progress' FROM step_execution s JOIN "
    "job_execution e ON e.id = s.execution_id WHERE NOT EXISTS (SELECT 1 FROM step_progress p WHERE "
    "p.instance_id = e.instance_id AND p.step = s.step)",
    "SELECT 'step ' || p.step || ' of instance ' || p.instance_id || ' says it was started ' || p.starts || "
    "' times but has another number of executions' FROM step_progress p WHERE p.partition = 0 AND p.starts <> (SELECT "
    "COUNT(*) FROM "
    "job_execution e JOIN step_execution s ON s.execution_id = e.id WHERE e.instance_id = p.instance_id AND "
    "s.step = p.step)",
    "SELECT 'step ' || step || ' of instance ' || instance_id || ' has epoch ' || epoch || ' after ' || starts || "
    "' starts' FROM step_progress WHERE epoch < starts",
    "SELECT 'step ' || p.step || ' of instance ' || p.instance_id || ' ran again after it was COMPLETED' FROM "
    "step_progress p WHERE p.partition = 0 AND p.generation < (SELECT COUNT(*) FROM job_execution e JOIN "
    "step_execution s ON "
    "s.execution_id = e.id WHERE e.instance_id = p.instance_id AND s.step = p.step AND s.status = 'COMPLETED' AND "
    "s.id < p.last_execution)",
    "SELECT 'step ' || step || ' of instance ' || instance_id || ' has an impossible place (generation ' || generation "
    "|| ', sequence ' || sequence || ', deaths ' || deaths || ')' FROM step_progress "
    "WHERE generation < 0 OR sequence < 0 OR deaths < 0 OR death_sequence > sequence",

    "SELECT 'step execution ' || id || ' (' || step || ') was cut short but is ' || status FROM step_execution "
    "WHERE cut_after IS NOT NULL AND status <> 'COMPLETED'",

    // partitions
    "SELECT 'partition ' || x.partition || ' of step execution ' || s.id || ' (' || s.step || ') has not ended, but "
    "the "
    "step has' FROM partition_execution x JOIN step_execution s ON s.id = x.step_execution_id WHERE x.ended IS NULL "
    "AND "
    "s.ended IS NOT NULL",
    "SELECT 'step execution ' || s.id || ' (' || s.step || ') counts other items than its partitions' FROM "
    "step_execution s WHERE s.ended IS NOT NULL AND s.partitions IS NOT NULL AND (s.read, s.written, s.commits) <> "
    "(SELECT COALESCE(SUM(x.read), 0), COALESCE(SUM(x.written), 0), COALESCE(SUM(x.commits), 0) FROM "
    "partition_execution x WHERE x.step_execution_id = s.id)",

    "SELECT 'partition ' || x.partition || ' of step execution ' || x.step_execution_id || ' is ' || x.status || ' but "
    "owned by worker ' || x.owner FROM partition_execution x WHERE x.owner IS NOT NULL AND x.status <> 'STARTED'",
    "SELECT 'partition ' || x.partition || ' of step execution ' || x.step_execution_id || ' is ' || x.status || ' but "
    "offered to workers' FROM partition_execution x WHERE x.offered <> 0 AND x.status NOT IN ('STARTING', 'PAUSED')",
    "SELECT 'partition ' || x.partition || ' of step execution ' || s.id || ' (' || s.step || ') is ' || x.status || ' "
    "but neither owned nor offered to workers' FROM partition_execution x JOIN step_execution s ON s.id = "
    "x.step_execution_id WHERE s.offers > 0 AND x.ended IS NULL AND x.owner IS NULL AND x.offered = 0",
    "SELECT 'partition ' || x.partition || ' of step execution ' || s.id || ' (' || s.step || ') is for workers, but "
    "the "
    "step is not' FROM partition_execution x JOIN step_execution s ON s.id = x.step_execution_id WHERE s.offers = 0 "
    "AND "
    "(x.owner IS NOT NULL OR x.offered <> 0 OR x.ran_by IS NOT NULL)",
    "SELECT 'partition ' || x.partition || ' of step execution ' || x.step_execution_id || ' is owned by worker ' || "
    "x.owner || ', which does not exist' FROM partition_execution x WHERE x.owner IS NOT NULL AND NOT EXISTS (SELECT 1 "
    "FROM worker w WHERE w.id = x.owner)",
    "SELECT 'partition ' || (p.partition - 1) || ' of step ' || p.step || ' of instance ' || p.instance_id || ' ran "
    "again "
    "after it was COMPLETED' FROM step_progress p WHERE p.partition > 0 AND p.generation < (SELECT COUNT(*) FROM "
    "job_execution e JOIN step_execution s ON s.execution_id = e.id JOIN partition_execution x ON x.step_execution_id "
    "= "
    "s.id WHERE e.instance_id = p.instance_id AND s.step = p.step AND s.id < p.last_execution AND x.partition = "
    "p.partition - 1 AND x.status = 'COMPLETED')",

    // waiting
    "SELECT 'execution ' || e.id || ' is ' || e.status || ' but ' || (CASE WHEN e.status = 'PAUSED' THEN 'no pause is "
    "open' ELSE 'a pause is open' END) FROM job_execution e WHERE e.status <> 'PAUSING' AND e.status <> 'STOPPING' AND "
    "(e.status = 'PAUSED') <> EXISTS (SELECT 1 FROM pause p WHERE p.execution_id = e.id AND p.completed IS NULL)",
    "SELECT 'execution ' || e.id || ' counts ' || e.pauses || ' pauses but has another number' FROM job_execution e "
    "WHERE e.pauses <> (SELECT COUNT(*) FROM pause p WHERE p.execution_id = e.id)",
    "SELECT 'pause ' || p.epoch || ' of execution ' || p.execution_id || ' counts ' || p.counted || ' signals but has "
    "another number' FROM pause p WHERE p.counted <> (SELECT COUNT(*) FROM signal s WHERE s.execution_id = "
    "p.execution_id AND s.pause = p.epoch AND (s.counted IS NOT NULL OR s.answer = 'buffered'))",
    "SELECT 'step execution ' || s.id || ' (' || s.step || ') is PAUSED in execution ' || e.id || ', which is ' || "
    "e.status FROM step_execution s JOIN job_execution e ON e.id = s.execution_id WHERE s.status = 'PAUSED' AND "
    "e.ended IS NOT NULL",
    "SELECT 'pause ' || p.epoch || ' belongs to execution ' || p.execution_id || ', which does not exist' FROM pause p "
    "WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = p.execution_id)",
    "SELECT 'signal ' || s.id || ' belongs to execution ' || s.execution_id || ', which does not exist' FROM signal s "
    "WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = s.execution_id)",

    // history
    "SELECT 'the walk of execution ' || execution_id || ' has gaps' FROM walk GROUP BY execution_id, scope "
    "HAVING MIN(number) <> 1 OR MAX(number) <> COUNT(*)",
    "SELECT 'the journal of execution ' || e.id || ' has not exactly one start' FROM job_execution e WHERE 1 <> "
    "(SELECT COUNT(*) FROM event v WHERE v.execution_id = e.id AND v.kind IN ('execution.started', "
    "'execution.submitted'))",
    "SELECT 'the journal of execution ' || e.id || ' does not agree that it is ' || e.status FROM job_execution e "
    "WHERE (SELECT COUNT(*) FROM event v WHERE v.execution_id = e.id AND v.kind IN ('execution.ended', "
    "'execution.lost')) <> (CASE WHEN e.ended IS NULL THEN 0 ELSE 1 END) OR "
    "(SELECT COUNT(*) FROM event v WHERE v.execution_id = e.id AND v.kind = 'execution.abandoned') <> "
    "(CASE WHEN e.status = 'ABANDONED' THEN 1 ELSE 0 END)",
    "SELECT 'the journal of execution ' || e.id || ' tells of ' || v.kind || ' before its start' FROM job_execution e "
    "JOIN event v ON v.execution_id = e.id WHERE v.id < (SELECT MIN(o.id) FROM event o WHERE o.execution_id = e.id AND "
    "o.kind IN ('execution.started', 'execution.submitted'))",
    "SELECT 'the repository has ' || COUNT(*) || ' identities' FROM repository HAVING COUNT(*) <> 1",
    "SELECT 'a purge was interrupted at instance ' || instance_id FROM purge_in_progress",

    // references
    "SELECT 'execution ' || e.id || ' belongs to instance ' || e.instance_id || ', which does not exist' FROM "
    "job_execution e WHERE NOT EXISTS (SELECT 1 FROM job_instance i WHERE i.id = e.instance_id)",
    "SELECT 'execution ' || e.id || ' says job ' || e.job_name || ', its instance says ' || i.job_name FROM "
    "job_execution e JOIN job_instance i ON i.id = e.instance_id WHERE i.job_name <> e.job_name",
    "SELECT 'execution ' || e.id || ' says instance key ' || COALESCE(e.instance_key, 'none') || ', its instance says "
    "' || COALESCE(i.instance_key, 'none') FROM job_execution e JOIN job_instance i ON i.id = e.instance_id WHERE "
    "COALESCE(e.instance_key, '') <> COALESCE(i.instance_key, '')",
    "SELECT 'execution ' || e.id || ' says parameters ' || e.parameters || ', of which job_parameter says something "
    "else' FROM job_execution e WHERE (e.parameters = '{}') = (EXISTS (SELECT 1 FROM job_parameter p WHERE "
    "p.execution_id = e.id))",
    "SELECT 'execution ' || e.id || ' is owned by worker ' || e.owner || ', which does not exist' FROM job_execution e "
    "WHERE e.owner IS NOT NULL AND NOT EXISTS (SELECT 1 FROM worker w WHERE w.id = e.owner)",
    "SELECT 'worker ' || w.id || ' owns nothing' FROM worker w WHERE w.slots = 0 AND NOT EXISTS (SELECT 1 FROM "
    "job_execution e WHERE e.owner = w.id) AND NOT EXISTS (SELECT 1 FROM partition_execution x WHERE x.owner = w.id)",
    "SELECT 'instance ' || i.id || ' has lost its definition ' || i.definition_hash FROM job_instance i "
    "WHERE NOT EXISTS (SELECT 1 FROM job_definition d WHERE d.hash = i.definition_hash)",
    "SELECT 'instance ' || i.id || ' has no execution' FROM job_instance i "
    "WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.instance_id = i.id)",
    "SELECT 'step execution ' || s.id || ' belongs to execution ' || s.execution_id || ', which does not exist' FROM "
    "step_execution s WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = s.execution_id)",
    "SELECT 'parameter ' || p.name || ' belongs to execution ' || p.execution_id || ', which does not exist' FROM "
    "job_parameter p WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = p.execution_id)",
    "SELECT 'the walk entry ' || w.number || ' belongs to execution ' || w.execution_id || ', which does not exist' "
    "FROM walk w WHERE NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = w.execution_id)",
    "SELECT 'event ' || v.id || ' belongs to execution ' || v.execution_id || ', which does not exist' FROM event v "
    "WHERE v.execution_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM job_execution e WHERE e.id = v.execution_id)",
    "SELECT 'the progress of step ' || p.step || ' belongs to instance ' || p.instance_id || ', which does not exist' "
    "FROM step_progress p WHERE NOT EXISTS (SELECT 1 FROM job_instance i WHERE i.id = p.instance_id)",
    "SELECT 'the sink ' || k.url || ' belongs to instance ' || k.instance_id || ', which does not exist' FROM "
    "instance_sink k WHERE NOT EXISTS (SELECT 1 FROM job_instance i WHERE i.id = k.instance_id)",
};

/// What the schema makes and is not there.
std::vector<std::string> missing_objects(const sql::Dialect& dialect, const sql::Result& present) {
    std::set<std::string_view> there;
    for (std::size_t i = 0; i < present.size(); ++i) there.insert(present[i][0].text());
    std::vector<std::string> missing;
    for (std::string& object : schema_objects(dialect))
        if (!there.contains(object)) missing.push_back(std::move(object));
    return missing;
}

}  // namespace

std::vector<std::string> Repository::verify() {
    std::vector<std::string> findings = database_->integrity_check();
    const sql::Dialect& dialect = database_->dialect();
    bool complete = true;
    for (const std::string& object : missing_objects(dialect, impl_->select(dialect.objects))) {
        findings.push_back(object + " is missing");
        complete = complete && !object.starts_with("table ");
    }
    if (!complete) return findings;  // what follows reads them all
    for (const std::string_view check : checks) {
        const sql::Result broken = impl_->select(check);
        for (std::size_t i = 0; i < broken.size(); ++i) findings.emplace_back(broken[i][0].text());
    }
    return findings;
}

}  // namespace fermata
