// skip_locked_postgres URL COUNT WORKERS: rows of work that waits, claimed by so many sessions, twenty at a time under
// SKIP LOCKED in one statement, each completed by a statement and a commit of its own.
#include "postgres.hpp"

#include <thread>

namespace {

constexpr const char* claim =
    "UPDATE work SET status = 'STARTED', epoch = epoch + 1 WHERE id IN (SELECT id FROM work WHERE status = 'STARTING' "
    "ORDER BY id LIMIT 20 FOR UPDATE SKIP LOCKED) RETURNING id";

void work(const char* url) {
    baseline::Server server(url);
    server.prepare("claim", claim);
    server.prepare("complete", "UPDATE work SET status = 'COMPLETED' WHERE id = $1::bigint AND epoch = 1");
    for (;;) {
        const auto claimed = server.ask("claim");
        if (claimed.empty()) return;
        for (const std::string& id : claimed) (void)server.ask("complete", {id.c_str()});
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: skip_locked_postgres URL COUNT WORKERS\n", stderr);
        return 2;
    }
    baseline::Server server(argv[1]);
    server.run(
        "DROP TABLE IF EXISTS work; CREATE TABLE work (id bigint PRIMARY KEY, status text, epoch bigint); "
        "CREATE INDEX work_waiting ON work (id) WHERE status = 'STARTING'");
    server.run((std::string("INSERT INTO work SELECT n, 'STARTING', 0 FROM generate_series(1, ") + argv[2] +
                ") n; ANALYZE work; CHECKPOINT")
                   .c_str());
    const auto begin = std::chrono::steady_clock::now();
    {
        std::vector<std::jthread> workers;
        for (long i = std::strtol(argv[3], nullptr, 10); i > 0; --i) workers.emplace_back([&] { work(argv[1]); });
    }
    baseline::report(std::strtol(argv[2], nullptr, 10), begin);
    return 0;
}
