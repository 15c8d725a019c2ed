// partitions DATABASE COUNT: a step of COUNT partitions that do nothing: plan, run, fold. Timed from start to end of
// its job, all of which is in DATABASE then.
#include <fermata/batch/registry.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace {

struct Nothing {
    static std::string process() { return ""; }
};

constexpr const char* job_xml = R"(<?xml version="1.0" encoding="UTF-8"?>
<job id="partitions" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="all">
    <batchlet ref="nothing"/>
    <partition><plan partitions="#{jobParameters['count']}"/></partition>
  </step>
</job>
)";

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: partitions DATABASE COUNT\n", stderr);
        return 2;
    }
    fermata::Registry registry;
    registry.batchlet<Nothing>("nothing");
    fermata::sql::Drivers drivers;
    fermata::add_sqlite_driver(drivers);

    const std::filesystem::path place = std::filesystem::absolute(argv[1]);
    fermata::Repository repository(drivers.open(place.string()), place.string() + ".d", true);
    fermata::JobOperator jobs(repository, registry, drivers, {.repository_url = place.string()});
    const fermata::ParsedJob parsed = fermata::parse_job(job_xml, "partitions.xml");
    const auto begin = std::chrono::steady_clock::now();
    const auto id = jobs.start(parsed.job.value(), {.parameters = {{"count", argv[2]}}});
    const auto execution = jobs.wait(id);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
    if (!execution || execution->status != fermata::BatchStatus::completed) {
        std::fputs("partitions: the job did not complete\n", stderr);
        return 1;
    }
    std::printf("%s %.6f\n", argv[2], seconds.count());
    return 0;
}
