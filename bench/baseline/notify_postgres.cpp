// notify_postgres URL COUNT: UPDATE, NOTIFY, COMMIT in one round trip, until another session has heard it: how many,
// and the seconds of the one in the middle and of the hundredth part that takes longest.
#include "latencies.hpp"
#include "postgres.hpp"

#include <semaphore>
#include <thread>

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: notify_postgres URL COUNT\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[2], nullptr, 10) + bench::Latencies::warming;
    baseline::Server sender(argv[1]);
    baseline::Server listener(argv[1]);
    sender.run(
        "DROP TABLE IF EXISTS execution; CREATE TABLE execution (id bigint PRIMARY KEY, status text); "
        "INSERT INTO execution VALUES (1, '')");
    listener.run("LISTEN work");

    bench::Latencies latencies;
    std::binary_semaphore heard(0);
    std::jthread hearing([&] {
        for (long i = 0; i < count; ++i) {
            listener.await_notice();
            heard.release();
        }
    });
    for (long i = 0; i < count; ++i) {
        const auto begin = bench::Latencies::Clock::now();
        sender.run("UPDATE execution SET status = 'STARTING' WHERE id = 1; NOTIFY work");
        heard.acquire();
        latencies.add(begin);
    }
    latencies.report();
    return 0;
}
