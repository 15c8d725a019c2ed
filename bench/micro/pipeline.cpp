// pipeline COUNT: the work of baseline/virtual_loop.cpp as a chunk step of item-count 1000 with a skip policy: typed
// items through the runtime. Timed from before_chunk to after_chunk, so reading, processing, writing and all that the
// runtime does between them count, and the commit does not.
#include "../baseline/pipeline.hpp"

#include <fermata/batch/registry.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <chrono>
#include <cstdio>
#include <filesystem>

namespace {

struct Numbers {
    using item_type = bench::Item;
    explicit Numbers(const fermata::ArtifactContext& context)
        : source{.count = context.properties.require<std::int64_t>("count")} {}
    bool read(bench::Item& into) { return source.read(into); }
    bench::Source source;
};
struct Doubler {
    using input_type = bench::Item;
    using output_type = bench::Item;
    bool process(bench::Item& in, bench::Item& into) { return bench::transform(in, into); }
};
struct Adder {
    using item_type = bench::Item;
    void write(std::span<bench::Item> items, fermata::Transaction& /*transaction*/) { sum += bench::sum_of(items); }
    static inline long long sum = 0;
};

struct Stopwatch : fermata::ChunkListener {
    using Clock = std::chrono::steady_clock;
    void before_chunk() override { began = Clock::now(); }
    void after_chunk() override { total += Clock::now() - began; }
    Clock::time_point began;
    static inline Clock::duration total{};
};

constexpr const char* job_xml = R"(<?xml version="1.0" encoding="UTF-8"?>
<job id="pipeline" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="all">
    <listeners><listener ref="stopwatch"/></listeners>
    <chunk item-count="1000" skip-limit="10">
      <reader ref="numbers">
        <properties><property name="count" value="#{jobParameters['count']}"/></properties>
      </reader>
      <processor ref="doubler"/>
      <writer ref="adder"/>
      <skippable-exception-classes><include class="fermata.Error"/></skippable-exception-classes>
    </chunk>
  </step>
</job>
)";

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: pipeline COUNT\n", stderr);
        return 2;
    }
    fermata::Registry registry;
    registry.reader<Numbers>("numbers");
    registry.processor<Doubler>("doubler");
    registry.writer<Adder>("adder");
    registry.listener<Stopwatch>("stopwatch");
    fermata::sql::Drivers drivers;
    fermata::add_sqlite_driver(drivers);

    const std::filesystem::path place = std::filesystem::absolute("pipeline.db");
    fermata::Repository repository(drivers.open(place.string()), place.string() + ".d", true);
    fermata::JobOperator jobs(repository, registry, drivers, {.repository_url = place.string()});
    const fermata::ParsedJob parsed = fermata::parse_job(job_xml, "pipeline.xml");
    const auto id = jobs.start(parsed.job.value(), {.parameters = {{"count", argv[1]}}});
    const auto execution = jobs.wait(id);
    if (!execution || execution->status != fermata::BatchStatus::completed) {
        std::fputs("pipeline: the job did not complete\n", stderr);
        return 1;
    }
    std::printf("%s %.6f\n", argv[1], std::chrono::duration<double>(Stopwatch::total).count());
    std::fprintf(stderr, "sum %lld\n", Adder::sum);
    return 0;
}
