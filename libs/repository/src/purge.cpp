// Deleting history: whole instances only, a few hundred a transaction, so that nobody waits long for the write lock.
#include "impl.hpp"
#include "journal.hpp"
#include "rows.hpp"

#include <algorithm>
#include <iterator>

namespace fermata {
namespace {

constexpr std::int64_t instances_a_transaction = 500;

// Marks the next instances to go. The rows of purge_in_progress are what the history's guards look for, and the list
// the DELETEs below work on.
class Marking {
public:
    explicit Marking(const PurgeFilter& filter) {
        matching_ =
            "FROM job_instance i JOIN job_execution e ON "
            "e.id = (SELECT MAX(n.id) FROM job_execution n WHERE n.instance_id = i.id) WHERE "
            "NOT EXISTS (SELECT 1 FROM job_execution u WHERE u.instance_id = i.id AND "
            "u.status IN ('STARTING', 'STARTED', 'STOPPING', 'PAUSING', 'PAUSED'))";
        if (filter.job_name) matching_ += fmt::format(" AND i.job_name = {}", param(cell(*filter.job_name)));
        if (filter.ended_before) matching_ += fmt::format(" AND e.ended < {}", param(cell(*filter.ended_before)));
        if (!filter.statuses.empty()) matching_ += fmt::format(" AND e.status IN ({})", names(filter.statuses));
        if (filter.keep_last) matching_ += newer_than_kept(param(Value(*filter.keep_last)));
    }
    /// How many were marked; `after` becomes the last of them.
    std::int64_t mark(StoreWrite& write, std::int64_t& after) const {
        sql::Params params = params_;
        params.emplace_back(after);
        const std::string sql = fmt::format(
            "INSERT INTO purge_in_progress (instance_id) SELECT i.id {} AND i.id > ${} ORDER BY i.id LIMIT {} "
            "RETURNING instance_id",
            matching_, params.size(), instances_a_transaction);
        const sql::Result marked = write->execute(sql, params);
        for (std::size_t i = 0; i < marked.size(); ++i) after = std::max(after, marked[i][0].integer());
        return static_cast<std::int64_t>(marked.size());
    }
    /// After this nobody can restart what is marked, and it still matches. Answers how many are left.
    std::int64_t settle(StoreWrite& write) const {
        lock_marked(write, "SELECT i.id FROM purge_in_progress p JOIN job_instance i ON i.id = p.instance_id");
        const std::string sql = fmt::format(
            "DELETE FROM purge_in_progress WHERE instance_id NOT IN (SELECT i.id {} AND i.id IN "
            "(SELECT instance_id FROM purge_in_progress))",
            matching_);
        write->execute(sql, params_);
        lock_marked(write,
                    "SELECT i.id FROM purge_in_progress p JOIN job_execution i ON i.instance_id = p.instance_id");
        return write->execute("SELECT COUNT(*) FROM purge_in_progress")[0][0].integer();
    }

private:
    static void lock_marked(StoreWrite& write, std::string_view rows) {
        if (write.dialect().for_update.empty()) return;
        write->execute(fmt::format("{} ORDER BY i.id{}", rows, write.dialect().for_update));
    }
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
    std::string matching_;
    sql::Params params_;
};

void collect(sql::Connection& connection, PurgeResult& result) {
    const sql::Result executions = connection.execute(
        "SELECT e.id FROM purge_in_progress p JOIN job_execution e ON e.instance_id = p.instance_id ORDER BY e.id");
    for (std::size_t i = 0; i < executions.size(); ++i) result.execution_ids.emplace_back(executions[i][0].integer());
    const sql::Result sinks = connection.execute(
        "SELECT s.url, s.sink_table, i.uuid FROM purge_in_progress p JOIN instance_sink s ON "
        "s.instance_id = p.instance_id JOIN job_instance i ON i.id = p.instance_id ORDER BY i.id");
    for (std::size_t i = 0; i < sinks.size(); ++i) {
        RowReader row(sinks[i]);
        std::string url = row.text();
        SinkAddress sink{std::move(url), row.text()};
        result.sinks[std::move(sink)].push_back(row.text());
    }
}

// Whoever gives a definition a new instance either waits for us here, or we see the instance.
void delete_unused_definitions(StoreWrite& write) {
    const sql::Result unused = write->execute(fmt::format(
        "SELECT d.hash FROM job_definition d WHERE NOT EXISTS (SELECT 1 FROM job_instance i WHERE i.definition_hash = "
        "d.hash) ORDER BY d.hash{}",
        write.dialect().for_update));
    for (std::size_t i = 0; i < unused.size(); ++i)
        write->execute(
            "DELETE FROM job_definition WHERE hash = $1 AND NOT EXISTS (SELECT 1 FROM job_instance i WHERE "
            "i.definition_hash = job_definition.hash)",
            {cell(unused[i][0].text())});
}

void delete_marked(StoreWrite& write) {
    for (const std::string_view sql :
         {"DELETE FROM event WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM walk WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM signal WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM pause WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e ON "
          "e.instance_id = p.instance_id)",
          "DELETE FROM job_parameter WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution e "
          "ON e.instance_id = p.instance_id)",
          "DELETE FROM partition_data WHERE step_execution_id IN (SELECT s.id FROM purge_in_progress p JOIN "
          "job_execution e ON e.instance_id = p.instance_id JOIN step_execution s ON s.execution_id = e.id)",
          "DELETE FROM partition_execution WHERE step_execution_id IN (SELECT s.id FROM purge_in_progress p JOIN "
          "job_execution e ON e.instance_id = p.instance_id JOIN step_execution s ON s.execution_id = e.id)",
          "DELETE FROM step_execution WHERE execution_id IN (SELECT e.id FROM purge_in_progress p JOIN job_execution "
          "e ON e.instance_id = p.instance_id)",
          "DELETE FROM instance_sink WHERE instance_id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM step_progress WHERE instance_id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM job_execution WHERE instance_id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM job_instance WHERE id IN (SELECT instance_id FROM purge_in_progress)",
          "DELETE FROM purge_in_progress"})
        write->execute(sql);
    delete_unused_definitions(write);
}

struct Batch {
    std::int64_t looked_at = 0;  ///< fewer than fit into a transaction: they were the last
    std::int64_t last = 0;       ///< instance looked at
    PurgeResult result;
};

Batch purge_some(StoreWrite& write, const Marking& marking, std::int64_t after) {
    Batch batch{.last = after};
    batch.looked_at = marking.mark(write, batch.last);
    if (batch.looked_at > 0) batch.result.instances = marking.settle(write);
    if (batch.result.instances == 0) return batch;
    collect(*write, batch.result);
    batch.result.executions = static_cast<std::int64_t>(batch.result.execution_ids.size());
    return batch;
}

void delete_batch(StoreWrite& write, const PurgeResult& batch, const std::string& actor) {
    const Event purged{.at = write.now(),
                       .execution = std::nullopt,
                       .kind = "repository.purged",
                       .actor = actor,
                       .data = facts({{"instances", batch.instances}, {"executions", batch.executions}})};
    write->execute(journal(purged));  // first: it stays, and above it no event's id is given again
    delete_marked(write);
    write.commit();
}

void add(PurgeResult& sum, PurgeResult&& batch) {
    sum.instances += batch.instances;
    sum.executions += batch.executions;
    sum.execution_ids.insert(sum.execution_ids.end(), batch.execution_ids.begin(), batch.execution_ids.end());
    for (auto& [sink, uuids] : batch.sinks) {
        auto& all = sum.sinks[sink];
        all.insert(all.end(), std::make_move_iterator(uuids.begin()), std::make_move_iterator(uuids.end()));
    }
}

}  // namespace

PurgeResult Repository::purge(const PurgeFilter& filter) {
    const Marking marking(filter);
    PurgeResult result;
    Batch batch{.looked_at = instances_a_transaction};
    while (batch.looked_at == instances_a_transaction) {
        const std::int64_t after = batch.last;
        const auto verb = [&](StoreWrite& write) {
            batch = purge_some(write, marking, after);
            if (!filter.dry_run && batch.result.instances > 0) delete_batch(write, batch.result, filter.actor);
        };
        impl_->transact(verb, [&](StoreWrite& look) {
            const JobExecutionId one = batch.result.execution_ids.front();
            look.lock("job_execution", one.value());
            return look->execute("SELECT 1 FROM job_execution WHERE id = $1", {Value(one.value())}).empty();
        });
        add(result, std::move(batch.result));
    }
    return result;
}

}  // namespace fermata
