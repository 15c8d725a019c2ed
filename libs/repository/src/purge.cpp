// Deleting history: whole instances only, a few hundred a transaction, so that nobody waits long for the write lock.
#include "impl.hpp"
#include "journal.hpp"
#include "rows.hpp"

namespace fermata {
namespace {

constexpr std::int64_t instances_a_transaction = 500;

// Marks the next instances to go. The rows of purge_in_progress are what the history's guards look for, and the list
// the DELETEs below work on.
class Marking {
public:
    explicit Marking(const PurgeFilter& filter) {
        sql_ =
            "INSERT INTO purge_in_progress (instance_id) SELECT i.id FROM job_instance i JOIN job_execution e ON "
            "e.id = (SELECT MAX(n.id) FROM job_execution n WHERE n.instance_id = i.id) WHERE i.id > $1 AND "
            "NOT EXISTS (SELECT 1 FROM job_execution u WHERE u.instance_id = i.id AND "
            "u.status IN ('STARTING', 'STARTED', 'STOPPING'))";
        if (filter.job_name) sql_ += fmt::format(" AND i.job_name = {}", param(cell(*filter.job_name)));
        if (filter.ended_before) sql_ += fmt::format(" AND e.ended < {}", param(cell(*filter.ended_before)));
        if (!filter.statuses.empty()) sql_ += fmt::format(" AND e.status IN ({})", names(filter.statuses));
        if (filter.keep_last) sql_ += newer_than_kept(param(Value(*filter.keep_last)));
        sql_ += fmt::format(" ORDER BY i.id LIMIT {} RETURNING instance_id", instances_a_transaction);
    }
    /// How many are marked; `after` becomes the last of them.
    std::int64_t mark(sql::Connection& connection, std::int64_t& after) {
        params_[0] = Value(after);
        const sql::Result marked = connection.execute(sql::Command{sql_, params_});
        for (std::size_t i = 0; i < marked.size(); ++i) after = std::max(after, marked[i][0].integer());
        return static_cast<std::int64_t>(marked.size());
    }

private:
    std::string param(Value value) {
        params_.push_back(value);
        return fmt::format("${}", params_.size());
    }
    static std::string names(const std::vector<BatchStatus>& statuses) {
        std::string list;
        for (const BatchStatus status : statuses)
            list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_string(status));
        return list;
    }
    static std::string newer_than_kept(const std::string& keep) {
        return fmt::format(
            " AND (SELECT COUNT(*) FROM (SELECT 1 FROM job_instance k WHERE k.job_name = i.job_name AND k.id > i.id "
            "LIMIT {0}) kept) >= {0}",
            keep);
    }
    std::string sql_;
    sql::Params params_{Value()};
};

void collect(sql::Connection& connection, PurgeResult& result) {
    const sql::Result executions = connection.execute(
        "SELECT e.id FROM purge_in_progress p JOIN job_execution e ON e.instance_id = p.instance_id ORDER BY e.id");
    for (std::size_t i = 0; i < executions.size(); ++i) result.execution_ids.emplace_back(executions[i][0].integer());
    const sql::Result instances = connection.execute(
        "SELECT i.uuid FROM purge_in_progress p JOIN job_instance i ON i.id = p.instance_id ORDER BY i.id");
    for (std::size_t i = 0; i < instances.size(); ++i) result.instance_uuids.emplace_back(instances[i][0].text());
}

void delete_marked(sql::Connection& connection) {
    for (const std::string_view sql :
         {"DELETE FROM event WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM walk WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM job_parameter WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e "
          "ON e.instance_id = p.instance_id)",
          "DELETE FROM partition_data WHERE step_execution_id IN (SELECT s.id FROM purge_in_progress p JOIN "
          "job_execution e ON e.instance_id = p.instance_id JOIN step_execution s ON s.execution_id = e.id)",
          "DELETE FROM partition_execution WHERE step_execution_id IN (SELECT s.id FROM purge_in_progress p JOIN "
          "job_execution e ON e.instance_id = p.instance_id JOIN step_execution s ON s.execution_id = e.id)",
          "DELETE FROM step_execution WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution "
          "e ON e.instance_id = p.instance_id)",
          "DELETE FROM step_progress WHERE instance_id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM job_execution WHERE instance_id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM job_instance WHERE id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM job_definition WHERE NOT EXISTS (SELECT 1 FROM job_instance i WHERE i.definition_hash = "
          "job_definition.hash)",
          "DELETE FROM purge_in_progress"})
        connection.execute(sql);
}

}  // namespace

PurgeResult Repository::purge(const PurgeFilter& filter) {
    Marking marking(filter);
    PurgeResult result;
    for (std::int64_t after = 0, marked = instances_a_transaction; marked == instances_a_transaction;) {
        Impl::Write write(*impl_);
        marked = marking.mark(*write, after);
        if (marked == 0) break;
        const std::size_t executions_before = result.execution_ids.size();
        collect(*write, result);
        if (filter.dry_run) continue;
        delete_marked(*write);
        const Event purged{
            .at = write.now(),
            .execution = std::nullopt,
            .kind = "repository.purged",
            .actor = filter.actor,
            .data =
                facts({{"instances", marked},
                       {"executions", static_cast<std::int64_t>(result.execution_ids.size() - executions_before)}})};
        const sql::Command last[] = {journal(purged)};
        write.commit(last);
    }
    result.instances = static_cast<std::int64_t>(result.instance_uuids.size());
    result.executions = static_cast<std::int64_t>(result.execution_ids.size());
    return result;
}

}  // namespace fermata
