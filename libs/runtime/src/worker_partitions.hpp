#pragma once
// Partitions that a worker has claimed and runs, of whatever executions. All but fence() from one thread.
#include "running_partition.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace fermata {

/// Of an execution or partition that was claimed, in words for whoever watches.
[[nodiscard]] std::string why_it_cannot_begin(const std::exception& error);
/// As a connection that was lost: no shortage of this process.
[[nodiscard]] bool is_over_soon(const std::exception& error);

class WorkerPartitions {
public:
    /// Resolves and assembles the job of an execution. Throws JobRestartException if that cannot be done here.
    using Prepare = std::function<SharedJob(JobExecutionId execution, bool accept_input)>;
    /// `ended` is called by the thread of each that has ended. REQUIRES: `worker` outlives this.
    WorkerPartitions(const RunningExecution::Surroundings& surroundings, const Worker& worker, Prepare prepare,
                     std::function<void()> ended);
    ~WorkerPartitions();  ///< hands on what runs, and waits until it rests

    [[nodiscard]] std::int64_t count() const { return static_cast<std::int64_t>(running_.size()); }
    /// Claims up to `most` and runs them. `may_write` says whether the worker can be sure of what it owns. False: some
    /// cannot begin, and wait for others; it is no use to claim them again at once. Throws what the repository throws.
    bool claim(std::int64_t most, const std::function<bool()>& may_write);
    /// Answers what went wrong with those that have ended, a line each.
    [[nodiscard]] std::vector<std::string> look_after_ends();
    /// Lets go of what the rows say it runs, and it does not.
    void disown_unknown();
    /// What has gone wrong since may have left such rows.
    [[nodiscard]] bool has_unknown() const noexcept { return has_unknown_; }
    void hand_on();
    /// What runs writes nothing more and ends its children. From any thread.
    void fence();

private:
    [[nodiscard]] std::shared_ptr<const SharedJob> job_of(JobExecutionId execution, bool accept_input);
    bool begin(const ClaimedPartitions& claimed, const std::function<bool()>& may_write);
    void run(std::unique_ptr<RunningPartition> begun, const std::function<bool()>& may_write);
    void put_back(const ClaimedPartition& one, const std::string& why);
    void fail(const ClaimedPartition& one, const std::string& why);
    void note_end(RunningPartition& ended);

    const RunningExecution::Surroundings surroundings_;
    const Worker& worker_;
    const Prepare prepare_;
    const std::function<void()> ended_;
    bool has_unknown_ = false;
    std::vector<std::string> troubles_;
    std::map<JobExecutionId, std::shared_ptr<const SharedJob>> jobs_;  ///< those that run here, and a few that did
    std::mutex mutex_;                                                 ///< of `running_`, which fence() looks at
    std::map<PartitionKey, std::unique_ptr<RunningPartition>> running_;
};

}  // namespace fermata
