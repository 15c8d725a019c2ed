#include "corpses.hpp"

#include <fmt/format.h>

namespace fermata {

std::vector<Corpse> corpses(sql::Connection& connection, const Worker& finder, std::string_view owning,
                            const std::filesystem::path& data_folder) {
    const std::string sql =
        fmt::format("SELECT {}, w.slots FROM worker w WHERE w.id <> $1 AND EXISTS ({}) ORDER BY w.started, w.id",
                    worker_columns, owning);
    const sql::Result rows = connection.execute(sql, {Value(finder.record().id)});
    std::vector<Corpse> dead;
    for (std::size_t i = 0; i < rows.size(); ++i) {
        RowReader row(rows[i]);
        const WorkerRecord worker = *read_worker(row);
        LivenessEvidence found = liveness_of(worker, data_folder);
        if (found.liveness == Liveness::dead) dead.push_back({worker, row.integer() > 0, std::move(found.evidence)});
    }
    return dead;
}

bool delete_if_idle(StoreWrite& write, std::int64_t worker) {
    static const std::string sql =
        fmt::format("DELETE FROM worker AS w WHERE w.id = $1 AND NOT EXISTS ({}) AND NOT EXISTS ({})", of_an_execution,
                    of_a_partition);
    write.lock("worker", worker);
    const sql::Result deleted = write->execute(sql, {Value(worker)});
    write.commit();
    return deleted.changed == 1;
}

bool forget_if_idle(Store& store, const WorkerRecord& worker, const std::filesystem::path& data_folder) {
    bool deleted = false;
    store.transact([&](StoreWrite& write) { deleted = delete_if_idle(write, worker.id); });
    if (deleted) remove_owner_file(worker, data_folder);
    return deleted;
}

}  // namespace fermata
