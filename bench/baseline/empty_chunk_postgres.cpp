// empty_chunk_postgres URL COUNT: what a chunk costs when nothing is in it: a transaction of two updates by primary
// key, one round trip.
#include "postgres.hpp"

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: empty_chunk_postgres URL COUNT\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[2], nullptr, 10);
    baseline::Server server(argv[1]);
    server.run(
        "DROP TABLE IF EXISTS step, execution;"
        "CREATE TABLE step (id bigint PRIMARY KEY, position text, read bigint, written bigint);"
        "CREATE TABLE execution (id bigint PRIMARY KEY, updated bigint);"
        "INSERT INTO step VALUES (1, '', 0, 0); INSERT INTO execution VALUES (1, 0)");
    server.prepare("step", "UPDATE step SET position = $1, read = $2::bigint, written = $2::bigint WHERE id = 1");
    server.prepare("execution", "UPDATE execution SET updated = $1::bigint WHERE id = 1");
    server.enter_pipeline();

    const auto begin = std::chrono::steady_clock::now();
    for (long i = 0; i < count; ++i) {
        std::string number;
        baseline::append_number(number, static_cast<std::uint64_t>(i));
        server.send("step", {{"4711"}, {number}});
        server.send("execution", {{number}});
        server.commit_pipeline(2);
    }
    baseline::report(count, begin);
    return 0;
}
