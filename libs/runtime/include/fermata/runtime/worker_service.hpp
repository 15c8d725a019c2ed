#pragma once
// A process that serves: it claims executions that wait for a worker, as many as it has free slots, and runs them; it
// takes over what others have lost by their death; it serves what time demands (pauses that were open too long,
// notifications), and forgets workers that died.
//
// What a dead worker owned goes on as the same execution: it waits for a worker again, and whoever has a free slot
// claims it. What the process of a `run` owned is adopted here, if it was this user's and on this host. A job whose
// property fermata.on-owner-loss is "fail" is FAILED instead.
//
// It claims only what it can run: definitions it was given, whose artifacts its registry has. What it claims all the
// same and cannot assemble, because of a parameter, is FAILED with the reason.
//
// An orderly end: drain() claims nothing more and lets what runs end; after the grace, chunk steps rest at their next
// checkpoint, and the execution is handed on: STARTING, for another worker or the next life of this one. Batchlets run
// to their end. Killing the process at any instant is safe, too: what it owned is then "owner lost".
#include <fermata/runtime/job_operator.hpp>

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace fermata {

class WorkerService {
public:
    /// Something to tell whoever watches; `execution` is empty where it is about the worker.
    struct News {
        enum class Kind : std::uint8_t {
            claimed,
            ended,     ///< or PAUSED; its status says which
            handed,    ///< STARTING again, for others
            orphaned,  ///< its owner died; its status says what became of it
            trouble,
        };
        Kind kind{};
        std::optional<JobExecution> execution;
        std::string text;  ///< trouble: what is wrong
    };
    struct Settings {
        std::string name;
        std::int64_t slots = 1;
        /// Asked about once a second, by the thread of run(): the definitions to serve; nothing if they are those of
        /// the last answer.
        std::function<std::optional<std::vector<JobDefinition>>()> jobs;
        Duration grace = std::chrono::seconds(20);
        std::function<void(const News&)> tell;  ///< from the thread of run()
    };
    /// REQUIRES: `jobs` outlives this.
    WorkerService(JobOperator& jobs, Settings settings);
    ~WorkerService();  ///< hands on what runs, and waits until it rests

    /// Serves until drain() was called and nothing runs any more. A database that cannot be reached is waited for and
    /// told of, except the first time. Throws Error(stale) if somebody took this worker for dead: a new process is a
    /// new worker.
    void run();
    /// From any thread, also before run().
    void drain() noexcept;

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fermata
