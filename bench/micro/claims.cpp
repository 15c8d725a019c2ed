// claims URL FOLDER COUNT WORKERS: executions that wait are claimed by so many workers, twenty at a time, and completed
// one by one, with nothing in between. How many, and in how many seconds.
#include <fermata/drivers/postgres.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/repository/heartbeat.hpp>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <latch>
#include <thread>

namespace {

constexpr const char* job_xml = R"(<job id="nothing" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="one"><batchlet ref="nothing"/></step></job>)";

class Bench {
public:
    Bench(std::string url, std::string folder) : url_(std::move(url)), folder_(std::move(folder)) {
        fermata::add_postgres_driver(drivers_);
    }
    void submit(long count) {
        fermata::Repository repository(drivers_.open(url_), folder_, false);
        for (long i = 0; i < count; ++i)
            (void)repository.submit({.definition = {fermata::hash_of(job_), job_.id, fermata::to_json(job_)},
                                     .working_directory = "/",
                                     .actor = "bench"});
    }
    /// Enlisted when it counts down `ready`.
    void work(std::latch& ready) {
        fermata::Repository repository(drivers_.open(url_), folder_, false);
        const fermata::Worker worker(repository.data_folder());
        repository.enlist(worker, {.slots = 20, .jobs = {{job_.id, fermata::hash_of(job_)}}});
        const fermata::Heartbeat heartbeat(repository, worker, [] {}, {});
        ready.arrive_and_wait();
        const fermata::JobEnd end{.status = fermata::BatchStatus::completed, .exit_status = "COMPLETED"};
        for (;;) {
            const auto claimed = repository.claim_waiting(worker, 20, "bench");
            if (claimed.empty()) break;
            for (const auto& each : claimed) repository.end_execution(each.claim, end);
        }
    }

private:
    std::string url_;
    std::string folder_;
    fermata::sql::Drivers drivers_;
    fermata::JobDefinition job_ = fermata::parse_job(job_xml, "nothing.xml").job.value();
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 5) {
        std::fputs("usage: claims URL FOLDER COUNT WORKERS\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[3], nullptr, 10);
    const long workers = std::strtol(argv[4], nullptr, 10);
    Bench bench(argv[1], argv[2]);
    bench.submit(count);
    std::latch ready(workers + 1);
    std::vector<std::jthread> threads;
    for (long i = 0; i < workers; ++i) threads.emplace_back([&] { bench.work(ready); });
    ready.arrive_and_wait();
    const auto begin = std::chrono::steady_clock::now();
    threads.clear();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    std::printf("%ld %.6f\n", count, seconds.count());
    return 0;
}
