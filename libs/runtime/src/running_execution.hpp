#pragma once
// One execution on a thread: everything that must live as long as it runs.
#include "assemble.hpp"
#include "job_runner.hpp"
#include "request_watcher.hpp"
#include "threads.hpp"

#include <condition_variable>
#include <functional>
#include <future>
#include <memory>

namespace fermata {

class RunningExecution {
public:
    struct Surroundings {
        Repository& repository;
        const Registry& registry;
        const sql::Drivers& drivers;
        RequestWatcher& watcher;
        int owner_fd = -1;
        Threads& threads;
        Crew& crew;
        Chime& chime;
        std::string actor;
        const Worker* claimer = nullptr;  ///< as JobScope's
        std::size_t helpers = 0;
        Doorbell* doorbell = nullptr;
    };
    struct Start {
        Claim claim;
        std::optional<std::string> start_at;
        bool adopted = false;  ///< it was begun before: by an owner that died, or that let it rest
        bool begun = false;    ///< and beforeJob has been called
        bool accept_sink = false;
        std::function<void()> ended = {};  ///< called at its end, when it rests, or when it only waits for others
        std::optional<WalkResumed> resumed = {};
    };
    /// What is left of one that rests, for whoever resumes it in this process.
    struct Left {
        RunnableJob job;
        JobContext context;  ///< as it was before anything ran
        std::optional<std::string> start_at;
        WalkMemory memory;
    };
    RunningExecution(Surroundings surroundings, RunnableJob job, Start start, JobContext context);
    ~RunningExecution();

    void request_stop(StopReason reason, bool now);
    /// It rests as soon as it can and waits for a worker.
    void hand_on() { pause_.hand_on(); }
    /// What was asked of it in the repository reaches it at once.
    void look_for_requests();
    /// False if it still runs after `timeout`.
    bool wait(std::optional<Duration> timeout);
    [[nodiscard]] bool has_ended();
    /// The step in which it may be resumed; nothing while it runs, and if that would not spare anything.
    [[nodiscard]] std::optional<StepClaim> rested_in();
    /// For who has resumed it. REQUIRES: rested_in() answered a step; once.
    [[nodiscard]] Left take_left();
    /// For partitions that others run: it holds no slot.
    [[nodiscard]] bool only_waits() const { return occupancy_.only_waits(); }
    [[nodiscard]] RunningJob display();
    /// What went wrong outside of the job itself: the repository could not be written.
    [[nodiscard]] std::exception_ptr trouble() const { return trouble_; }

private:
    void run();

    Surroundings surroundings_;
    RunnableJob job_;
    Start start_;
    const JobContext context_;
    std::optional<WalkMemory> memory_;
    StopSignal stop_;
    PauseSignal pause_;
    StepStops step_stops_;
    Occupancy occupancy_;
    Sync<RunningJob> display_;
    JobScope scope_;
    std::exception_ptr trouble_;
    std::mutex mutex_;
    std::condition_variable ended_;
    bool has_ended_ = false;
    std::future<void> returned_;  ///< of run()
};

}  // namespace fermata
