// submit URL FOLDER COUNT: from the call of submit until a worker that is attached tells that it has claimed it, so
// that it is STARTED; one after the other. How many, the median and the 99th of a hundred, in seconds.
#include "../baseline/latencies.hpp"

#include <fermata/batch/registry.hpp>
#include <fermata/drivers/postgres.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/worker_service.hpp>

#include <algorithm>
#include <optional>
#include <semaphore>
#include <thread>
#include <utility>

namespace {

struct Nothing {
    static std::string process() { return ""; }
};

constexpr const char* job_xml = R"(<job id="nothing" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="one"><batchlet ref="nothing"/></step></job>)";

/// One process' view of the repository.
struct Side {
    Side(const char* url, const char* folder) {
        registry.batchlet<Nothing>("nothing");
        fermata::add_postgres_driver(drivers);
        repository.emplace(drivers.open(url), folder, false);
        jobs.emplace(*repository, registry, drivers, fermata::JobOperator::Settings{.repository_url = url});
    }
    fermata::Registry registry;
    fermata::sql::Drivers drivers;
    std::optional<fermata::Repository> repository;
    std::optional<fermata::JobOperator> jobs;
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 4) {
        std::fputs("usage: submit URL FOLDER COUNT\n", stderr);
        return 2;
    }
    using Kind = fermata::WorkerService::News::Kind;
    const fermata::JobDefinition job = fermata::parse_job(job_xml, "nothing.xml").job.value();
    Side asking(argv[1], argv[2]);
    Side serving(argv[1], argv[2]);
    std::binary_semaphore started(0);
    std::binary_semaphore ended(0);
    // As many slots as a worker has by default.
    fermata::WorkerService::Settings settings{.name = "bench",
                                              .slots = std::max(1U, std::thread::hardware_concurrency())};
    settings.jobs = [&, told = false]() mutable -> std::optional<std::vector<fermata::JobDefinition>> {
        if (std::exchange(told, true)) return std::nullopt;
        return std::vector{job};
    };
    settings.tell = [&](const fermata::WorkerService::News& news) {
        if (news.kind == Kind::claimed) started.release();
        if (news.kind == Kind::ended) ended.release();
    };
    fermata::WorkerService service(*serving.jobs, std::move(settings));
    std::jthread worker([&] { service.run(); });

    bench::Latencies latencies;
    for (long i = std::strtol(argv[3], nullptr, 10) + bench::Latencies::warming; i > 0; --i) {
        const auto begin = bench::Latencies::Clock::now();
        (void)asking.jobs->submit(job, {});
        started.acquire();
        latencies.add(begin);
        ended.acquire();
    }
    service.drain();
    worker.join();
    latencies.report();
    return 0;
}
