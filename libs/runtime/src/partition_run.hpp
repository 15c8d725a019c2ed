#pragma once
// One partition of a step, from its entry to its recorded end, on whatever thread: artifacts, contexts and progress of
// its own.
#include "assemble.hpp"
#include "step_scope.hpp"

#include <functional>
#include <string>
#include <vector>

namespace fermata {

/// What all partitions of a step execution share; outlives them.
struct PartitionSurroundings {
    const RunnableStep& step;
    JobScope& job;
    StepStop& stop;                   ///< of the step
    const StepClaim& claim;           ///< of the step
    const JobContext job_context;     ///< as it was before: the analyzer changes the step's while partitions begin
    const StepContext& step_context;  ///< log and what else is the same everywhere
    std::function<void(std::int64_t partition, std::string data)> deliver;  ///< collector data, committed
};

struct PartitionOutcome {
    BatchStatus status{};
    std::string exit_status;
    Metrics metrics;
    std::optional<Failure> failure;
    std::optional<std::string> collected;  ///< by a batchlet's collector, at its end: to be told together with it
    std::optional<StepPause> pause = {};   ///< asked for and not served: it comes after the step
    bool cut = false;                      ///< COMPLETED as far as it came: the step was asked to stop
};

/// Never entered while a stop, of the step or of the execution, or a pause is requested: the answer is nothing then.
/// PAUSED: it rests, as recorded. `collected`: what an owner before stored of it, delivered again as far as it is
/// committed. Throws only what the repository throws.
[[nodiscard]] std::optional<PartitionOutcome> run_partition(const PartitionSurroundings& around,
                                                            const PartitionExecution& partition,
                                                            const std::vector<CollectedData>& collected);

/// The same of a partition that `worker` has claimed: it is entered already. At the end it has ended, or it rests or
/// has given up its turn, and whoever claims it next goes on. `shown`: what the display has of it already. Answers what
/// it has then.
Metrics run_claimed_partition(const PartitionSurroundings& around, const ClaimedPartition& claimed,
                              const Worker& worker, const Metrics& shown = {});

}  // namespace fermata
