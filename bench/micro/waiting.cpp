// waiting DATABASE WORK COUNT [BEFORE]: seconds for COUNT times of a work, in process:
//   resumes  a batchlet that does nothing pauses, and its execution is resumed; after BEFORE that are not timed
//   signals  to one pause
//   stops    from `stop` in another repository object, as in another process, until a running chunk step is STOPPED
//   chunks   of that step
#include <fermata/batch/registry.hpp>
#include <fermata/drivers/sqlite.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <optional>
#include <string>
#include <thread>

namespace {

using Clock = std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

std::atomic<std::int64_t> entries{0};
std::atomic<std::int64_t> chunks{0};

/// Waits again and again.
class Waiting {
public:
    explicit Waiting(const fermata::ArtifactContext& context) : step_(*context.step) {}
    std::string process() {
        ++entries;
        step_.pause({.point = "p", .signals = 1'000'000'000});
        return "";
    }

private:
    fermata::StepContext& step_;
};

/// A chunk of 1,000 takes 20 ms.
class Slow {
public:
    using item_type = std::int64_t;
    std::optional<std::int64_t> read() {
        const auto end = Clock::now() + std::chrono::microseconds(20);
        while (Clock::now() < end) {
        }
        return ++n_;
    }

private:
    std::int64_t n_ = 0;
};
struct Nowhere {
    using item_type = std::int64_t;
    static void write(std::span<std::int64_t> /*items*/, fermata::Transaction& /*transaction*/) { ++chunks; }
};

constexpr const char* waiting_job = R"(<job id="waiting" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="wait"><batchlet ref="waiting"/></step></job>)";
constexpr const char* slow_job = R"(<job id="slow" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="read"><chunk item-count="1000"><reader ref="slow"/><writer ref="nowhere"/></chunk></step></job>)";

class Bench {
public:
    explicit Bench(const std::filesystem::path& place) : place_(place) {
        registry_.batchlet<Waiting>("waiting");
        registry_.reader<Slow>("slow");
        registry_.writer<Nowhere>("nowhere");
        fermata::add_sqlite_driver(drivers_);
        repository_.emplace(drivers_.open(place.string()), place.string() + ".d", true);
        jobs_.emplace(*repository_, registry_, drivers_, fermata::JobOperator::Settings{});
    }

    Seconds resumes(std::int64_t count, std::int64_t before) {
        const auto id = start(waiting_job);
        jobs_->wait(id);
        const auto resume = [&](std::int64_t times) {
            for (std::int64_t i = 0; i < times; ++i) {
                jobs_->resume(id);
                jobs_->wait(id);
            }
        };
        resume(before);
        const auto begin = Clock::now();
        resume(count);
        const Seconds taken = Clock::now() - begin;
        if (entries != count + before + 1) throw std::runtime_error("not every resume entered the step");
        return taken;
    }
    Seconds signals(std::int64_t count) {
        const auto id = start(waiting_job);
        jobs_->wait(id);
        const auto begin = Clock::now();
        for (std::int64_t i = 0; i < count; ++i) (void)jobs_->signal(id, {.point = "p", .key = std::to_string(i)});
        return Clock::now() - begin;
    }
    Seconds stops(std::int64_t count) {
        fermata::Repository other(drivers_.open(place_.string()), place_.string() + ".d", false);
        Seconds taken{};
        for (std::int64_t i = 0; i < count; ++i) {
            const auto id = start(slow_job);
            for (const std::int64_t before = chunks; chunks < before + 2;) std::this_thread::yield();
            const auto begin = Clock::now();
            (void)other.request_stop(id, {.actor = "bench"});
            jobs_->wait(id);
            taken += Clock::now() - begin;
        }
        return taken;
    }
    Seconds run_chunks(std::int64_t count) {
        const auto id = start(slow_job);
        for (const std::int64_t before = chunks; chunks < before + 1;) std::this_thread::yield();
        const auto begin = Clock::now();
        for (const std::int64_t before = chunks; chunks < before + count;) std::this_thread::yield();
        const Seconds taken = Clock::now() - begin;
        jobs_->stop(id);
        jobs_->wait(id);
        return taken;
    }

private:
    fermata::JobExecutionId start(const char* xml) {
        return jobs_->start(fermata::parse_job(xml, "waiting.xml").job.value(), {});
    }

    std::filesystem::path place_;
    fermata::sql::Drivers drivers_;
    fermata::Registry registry_;
    std::optional<fermata::Repository> repository_;
    std::optional<fermata::JobOperator> jobs_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::string work = argc > 2 ? argv[2] : "";
    const bool known = work == "resumes" || work == "signals" || work == "stops" || work == "chunks";
    if (argc < 4 || argc > 5 || !known) {
        std::fputs("usage: waiting DATABASE resumes|signals|stops|chunks COUNT [BEFORE]\n", stderr);
        return 2;
    }
    const std::int64_t count = std::strtoll(argv[3], nullptr, 10);
    Bench bench(std::filesystem::absolute(argv[1]));
    const Seconds taken = work == "resumes"   ? bench.resumes(count, argc > 4 ? std::strtoll(argv[4], nullptr, 10) : 0)
                          : work == "signals" ? bench.signals(count)
                          : work == "stops"   ? bench.stops(count)
                                              : bench.run_chunks(count);
    std::printf("%lld %.6f\n", static_cast<long long>(count), taken.count());
    return 0;
}
