#include "lease.hpp"

#include "impl.hpp"

#include <thread>

namespace fermata {
namespace {

constexpr std::chrono::microseconds grace = std::chrono::seconds(18);  // a lease and its margin

const std::string& ran_out() {
    static const std::string sql = fmt::format("dead = 0 AND lease < {} AND {} + {} < {}", database_now, server_started,
                                               grace.count(), database_now);
    return sql;
}

}  // namespace

void declare_dead(Store& store) {
    static const std::string any = fmt::format("SELECT 1 FROM worker WHERE {} LIMIT 1", ran_out());
    static const std::string declare = fmt::format("UPDATE worker SET dead = 1 WHERE {}", ran_out());
    if (store.select(any).empty()) return;
    // Conditional: whoever has renewed meanwhile lives. In doubt it is done once more, which changes nothing.
    store.transact([&](StoreWrite& write) {
        const sql::Command last[] = {{declare, {}}};
        write.commit(last);
    });
}

void end_sessions(sql::Connection& connection, std::int64_t worker) {
    constexpr std::string_view sql =
        "SELECT pg_terminate_backend(a.pid) FROM worker w JOIN pg_stat_activity a ON a.application_name = w.sessions "
        "WHERE w.id = $1 AND w.dead = 1 AND a.usename = session_user AND a.pid <> pg_backend_pid()";
    constexpr int tries = 200;
    for (int i = 0; i < tries; ++i) {
        if (connection.execute(sql, {Value(worker)}).empty()) return;
        std::this_thread::sleep_for(std::chrono::milliseconds(10));  // it may be ending just now
    }
}

}  // namespace fermata
