#include "lease.hpp"

#include "impl.hpp"
#include "rows.hpp"

#include <thread>

namespace fermata {
namespace {

constexpr std::chrono::microseconds grace = std::chrono::seconds(18);  // a lease and its margin

const std::string& ran_out() {
    // A server whose clock was set back since it was started may say that it will start in an hour.
    static const std::string sql = fmt::format("dead = 0 AND lease < {0} AND {0} NOT BETWEEN {1} AND {1} + {2}",
                                               database_now, server_started, grace.count());
    return sql;
}

}  // namespace

void declare_dead(Store& store, std::int64_t finder) {
    static const std::string late = fmt::format(
        "SELECT id FROM worker WHERE {} AND NOT EXISTS (SELECT 1 FROM worker f WHERE f.id = $1 AND f.lease < "
        "{}) ORDER BY started, id",
        ran_out(), database_now);
    std::string ids;  // numbers of ours, so they may stand in the text
    store.read([&](sql::Connection& connection) {
        ids.clear();
        const sql::Result workers = connection.execute(late, {Value(finder)});
        for (std::size_t i = 0; i < workers.size(); ++i) {
            const std::int64_t worker = workers[i][0].integer();
            // First: what one that is stopped in the middle of a verb has locked keeps nobody waiting.
            end_sessions(connection, worker);
            ids += fmt::format("{}{}", ids.empty() ? "" : ", ", worker);
        }
    });
    if (ids.empty()) return;
    // Conditional: whoever has renewed meanwhile lives. In doubt it is done once more, which changes nothing.
    const std::string declare = fmt::format("UPDATE worker SET dead = 1 WHERE id IN ({}) AND {}", ids, ran_out());
    store.transact([&](StoreWrite& write) {
        const sql::Command last[] = {{declare, {}}};
        write.commit(last);
    });
}

void end_sessions(sql::Connection& connection, std::int64_t worker) {
    static const std::string sql = fmt::format(
        "SELECT pg_terminate_backend(a.pid) FROM worker w JOIN pg_stat_activity a ON a.application_name = w.sessions "
        "WHERE w.id = $1 AND (w.dead = 1 OR ({})) AND a.usename = session_user AND a.pid <> pg_backend_pid()",
        ran_out());
    constexpr int tries = 200;
    for (int i = 0; i < tries; ++i) {
        if (connection.execute(sql, {Value(worker)}).empty()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // it may be ending just now
    }
}

}  // namespace fermata
