#pragma once
// One partition that a worker has claimed, on a thread of its own: everything that must live as long as it runs. Its
// execution may be owned by anybody meanwhile, or by nobody.
#include "partition_run.hpp"
#include "running_execution.hpp"
#include "step_log.hpp"

#include <memory>
#include <thread>

namespace fermata {

/// What all partitions of an execution that run here share.
struct SharedJob {
    RunnableJob job;
    JobContext context;
};

class RunningPartition {
public:
    struct Start {
        const Worker& worker;  ///< who has claimed it
        StepClaim step;
        bool accept_sink = false;
        ClaimedPartition claimed;
        std::function<void()> ended;  ///< called at its end, by its thread
    };
    /// REQUIRES: the job has the step, partitioned, and the worker outlives this.
    RunningPartition(const RunningExecution::Surroundings& surroundings, std::shared_ptr<const SharedJob> job,
                     Start start);

    /// It writes nothing more and ends its children.
    void fence() { stop_.request_now(StopReason::fenced); }
    /// It rests as soon as it can, for whoever claims it next.
    void hand_on() { pause_.hand_on(); }
    [[nodiscard]] bool has_ended() const noexcept { return has_ended_.load(); }
    [[nodiscard]] PartitionKey key() const { return {start_.step.id, start_.claimed.partition.number}; }
    /// Waits for its end; once.
    void join() { thread_.join(); }
    /// REQUIRES: join() has returned. What went wrong outside of the partition itself.
    [[nodiscard]] std::exception_ptr trouble() const { return trouble_; }

private:
    void run();

    const std::shared_ptr<const SharedJob> job_;
    const Start start_;
    RequestWatcher& watcher_;
    Chime& chime_;
    StopSignal stop_;
    PauseSignal pause_;
    StepStops step_stops_;
    Occupancy occupancy_;
    Sync<RunningJob> display_;
    JobScope scope_;
    StepStop step_stop_;
    FileStepLog log_;
    StepContext step_context_;
    PartitionSurroundings around_;
    std::exception_ptr trouble_;
    std::atomic<bool> has_ended_ = false;
    std::jthread thread_;  // last: it uses all of the above
};

/// The step of this id, wherever it stands in the job. Null if there is none.
[[nodiscard]] const RunnableStep* find_step(const std::vector<RunnableElement>& elements, std::string_view id);

}  // namespace fermata
