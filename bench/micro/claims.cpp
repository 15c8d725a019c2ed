// claims executions|partitions URL FOLDER COUNT WORKERS: executions that wait, or partitions of one step, are claimed
// by so many workers, twenty at a time, and completed with nothing in between: executions one by one, partitions each
// by a thread of its own, as a worker's slots do. How many, and in how many seconds.
#include <fermata/drivers/postgres.hpp>
#include <fermata/jobxml/jobxml.hpp>
#include <fermata/repository/heartbeat.hpp>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <latch>
#include <mutex>
#include <string_view>
#include <thread>

namespace {

constexpr const char* job_xml = R"(<job id="nothing" xmlns="https://jakarta.ee/xml/ns/jakartaee" version="2.0">
  <step id="one"><batchlet ref="nothing"/></step></job>)";

constexpr int at_once = 20;

fermata::sql::Drivers& with_postgres(fermata::sql::Drivers& drivers) {
    fermata::add_postgres_driver(drivers);
    return drivers;
}

/// Threads that wait for something to do.
class Slots {
public:
    explicit Slots(int count) {
        for (int i = 0; i < count; ++i) threads_.emplace_back([this](std::stop_token stop) { serve(stop); });
    }
    /// Calls `action` for each item on a thread of theirs; returns when all have returned.
    template <class Items, class Action>
    void each(const Items& items, Action&& action) {
        std::latch done(static_cast<std::ptrdiff_t>(items.size()));
        {
            const std::lock_guard lock(mutex_);
            for (const auto& item : items)
                tasks_.emplace_back([&] {
                    action(item);
                    done.count_down();
                });
        }
        some_.notify_all();
        done.wait();
    }

private:
    void serve(std::stop_token stop) {
        for (std::unique_lock lock(mutex_); some_.wait(lock, stop, [this] { return !tasks_.empty(); });) {
            const std::function<void()> task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
    }
    std::mutex mutex_;
    std::condition_variable_any some_;
    std::deque<std::function<void()>> tasks_;
    std::vector<std::jthread> threads_;  // last: they end first
};

class Bench {
public:
    Bench(bool of_partitions, std::string url, std::string folder)
        : of_partitions_(of_partitions), url_(std::move(url)), folder_(std::move(folder)) {}
    void prepare(long count) {
        if (of_partitions_) return plan(count);
        for (long i = 0; i < count; ++i) (void)repository_.submit(request());
    }
    /// Enlisted when it counts down `ready`.
    void work(std::latch& ready) {
        fermata::Repository repository(drivers_.open(url_), folder_, false);
        const fermata::Worker worker(repository.data_folder());
        repository.enlist(worker, {.slots = at_once, .jobs = {{job_.id, fermata::hash_of(job_)}}});
        const fermata::Heartbeat heartbeat(repository, worker, [] {}, {});
        Slots slots(at_once);
        ready.arrive_and_wait();
        while (of_partitions_ ? complete_partitions(repository, worker, slots)
                              : complete_executions(repository, worker)) {
        }
    }

private:
    fermata::LaunchRequest request() const {
        return {.definition = {fermata::hash_of(job_), job_.id, fermata::to_json(job_)},
                .working_directory = "/",
                .actor = "bench"};
    }
    /// Its owner only waits for them.
    void plan(long count) {
        const auto claim = std::get<fermata::Claim>(repository_.launch(request(), owner_));
        auto step = repository_.enter_step(claim, "one", fermata::StepEntryMode::start);
        (void)repository_.store_plan(step, {.partitions = count, .for_workers = true});
    }
    static bool complete_executions(fermata::Repository& repository, const fermata::Worker& worker) {
        const fermata::JobEnd end{.status = fermata::BatchStatus::completed, .exit_status = "COMPLETED"};
        const auto claimed = repository.claim_waiting(worker, at_once, "bench");
        for (const auto& each : claimed) repository.end_execution(each.claim, end);
        return !claimed.empty();
    }
    static bool complete_partitions(fermata::Repository& repository, const fermata::Worker& worker, Slots& slots) {
        const fermata::PartitionEnd end{.status = fermata::BatchStatus::completed, .exit_status = "COMPLETED"};
        const auto claimed = repository.claim_partitions(worker, at_once);
        if (!claimed) return false;
        slots.each(claimed->partitions, [&](const auto& each) { repository.end_partition(each.entry.claim, end); });
        return true;
    }

    bool of_partitions_;
    std::string url_;
    std::string folder_;
    fermata::sql::Drivers drivers_;
    fermata::JobDefinition job_ = fermata::parse_job(job_xml, "nothing.xml").job.value();
    fermata::Repository repository_{with_postgres(drivers_).open(url_), folder_, false};
    fermata::Worker owner_{repository_.data_folder()};
};

}  // namespace

int main(int argc, char** argv) {
    if (argc != 6) {
        std::fputs("usage: claims executions|partitions URL FOLDER COUNT WORKERS\n", stderr);
        return 2;
    }
    const long count = std::strtol(argv[4], nullptr, 10);
    const long workers = std::strtol(argv[5], nullptr, 10);
    Bench bench(std::string_view(argv[1]) == "partitions", argv[2], argv[3]);
    bench.prepare(count);
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
