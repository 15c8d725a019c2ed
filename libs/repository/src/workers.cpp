// The rows of workers that serve, and what is known of all workers.
#include "corpses.hpp"
#include "impl.hpp"
#include "lease.hpp"
#include "owner_files.hpp"
#include "ownership.hpp"

#include <map>

namespace fermata {
namespace {

void replace_jobs(sql::Connection& connection, std::int64_t worker, const std::vector<ServedJob>& jobs) {
    connection.execute("DELETE FROM worker_job WHERE worker = $1", {Value(worker)});
    sql::Params cells;
    for (const ServedJob& job : jobs)
        cells.insert(cells.end(), {Value(worker), cell(job.job_name), cell(job.definition_hash)});
    insert_rows(connection, "INSERT INTO worker_job (worker, job_name, definition_hash) VALUES ", 3, cells);
}

void set_terms(StoreWrite& write, const Worker& worker, const WorkerTerms& terms) {
    const std::int64_t id = worker.record().id;
    write->execute("UPDATE worker SET slots = $2, draining = $3 WHERE id = $1",
                   {Value(id), Value(terms.slots), flag_cell(terms.draining)});
    replace_jobs(*write, id, terms.jobs);
    write.commit();
}

std::string all_workers(const sql::Dialect& dialect) {
    const std::string lease =
        dialect.concurrent_writers ? fmt::format("CASE WHEN w.lease >= {} THEN 1 ELSE 0 END", database_now) : "0";
    return fmt::format(
        "SELECT {}, w.slots, w.draining, (SELECT COUNT(*) FROM job_execution e WHERE e.owner = w.id), (SELECT "
        "COUNT(*) FROM partition_execution x WHERE x.owner = w.id), {} FROM worker w "
        "ORDER BY w.name, w.started, w.id",
        worker_columns, lease);
}

WorkerState read_state(std::span<const Value> cells, const std::filesystem::path& data_folder) {
    RowReader row(cells);
    WorkerState state;
    state.record = *read_worker(row);
    state.slots = row.integer();
    state.draining = row.flag();
    state.owns = row.integer();
    state.partitions = row.integer();
    state.liveness = liveness_of(state.record, data_folder);
    if (row.flag() && state.liveness.liveness == Liveness::unknown)
        state.liveness = {Liveness::alive, fmt::format("its lease is good; it runs on {}", state.record.host)};
    return state;
}

std::map<std::int64_t, std::vector<std::string>> job_names_by_worker(sql::Connection& connection) {
    std::map<std::int64_t, std::vector<std::string>> names;
    const sql::Result rows = connection.execute("SELECT DISTINCT worker, job_name FROM worker_job ORDER BY 1, 2");
    for (std::size_t i = 0; i < rows.size(); ++i) names[rows[i][0].integer()].emplace_back(rows[i][1].text());
    return names;
}

}  // namespace

// In doubt both are done once more, which changes nothing.
void Repository::enlist(const Worker& worker, const WorkerTerms& terms) {
    impl_->transact([&](StoreWrite& write) {
        write->execute(claim_worker(worker.record()));
        set_terms(write, worker, terms);
    });
    impl_->note_serving(worker);
}

void Repository::change_terms(const Worker& worker, const WorkerTerms& terms) {
    impl_->transact([&](StoreWrite& write) {
        lock_worker(write, worker);
        set_terms(write, worker, terms);
    });
}

void Repository::retire(const Worker& worker) {
    impl_->transact([&](StoreWrite& write) {
        const std::int64_t id = worker.record().id;
        const sql::Result retired =
            write->execute("UPDATE worker SET slots = 0, draining = 1 WHERE id = $1", {Value(id)});
        if (retired.changed > 0) delete_if_idle(write, id);
    });
}

std::vector<WorkerState> Repository::workers() {
    return impl_->read([&](sql::Connection& connection) {
        const sql::Result rows = connection.execute(all_workers(impl_->database.dialect()));
        auto names = job_names_by_worker(connection);
        std::vector<WorkerState> states;
        for (std::size_t i = 0; i < rows.size(); ++i) {
            WorkerState& state = states.emplace_back(read_state(rows[i], data_folder_));
            state.jobs = std::move(names[state.record.id]);
        }
        return states;
    });
}

bool Repository::is_served(const std::string& definition_hash) {
    static const std::string sql = fmt::format(
        "SELECT {} FROM worker_job j JOIN worker w ON w.id = j.worker WHERE j.definition_hash = $1 AND "
        "w.draining = 0",
        worker_columns);
    const sql::Result rows = impl_->select(sql, {cell(definition_hash)});
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        if (liveness_of(*read_worker(row), data_folder_).liveness != Liveness::dead) return true;
    }
    return false;
}

std::int64_t Repository::forget_dead_workers() {
    std::int64_t forgotten = 0;
    std::set<std::string> known;
    for (const WorkerState& worker : workers()) {
        known.insert(worker.record.incarnation);
        if (worker.owns + worker.partitions > 0 || worker.liveness.liveness != Liveness::dead) continue;
        if (forget_if_idle(*impl_, worker.record, data_folder_)) ++forgotten;
    }
    remove_strays(data_folder_, known);
    return forgotten;
}

}  // namespace fermata
