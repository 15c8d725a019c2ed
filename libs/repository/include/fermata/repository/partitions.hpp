#pragma once
// The slices of a partitioned step, as the repository keeps them (table partition_execution). Partitions count from 0
// here and in job XML; their rows of progress are step_progress.partition = number + 1.
#include <fermata/model/records.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

/// One partition in one StepExecution. STARTING until it is entered; one that never was ends with its step.
struct PartitionExecution {
    std::int64_t number = 0;
    Parameters properties;  ///< what partitionPlan means in it
    BatchStatus status{};
    std::optional<std::string> exit_status;
    std::optional<Timestamp> started;
    std::optional<Timestamp> ended;
    Metrics metrics;  ///< live while it runs
    std::optional<Failure> failure;
    std::string worker;  ///< of a step whose partitions workers claim: who runs it, or ran it last
    bool cut = false;    ///< COMPLETED as far as it came
};

/// A partition as those name it who do not own its execution.
struct PartitionKey {
    StepExecutionId step;
    std::int64_t number = 0;
    auto operator<=>(const PartitionKey&) const = default;
};

/// What a plan or a mapper says.
struct PlanRequest {
    std::int64_t partitions = 0;
    std::int64_t threads = 0;
    std::vector<Parameters> properties;
    bool forget_earlier = false;   ///< a new plan: all partitions again, from their beginning
    bool keep_properties = false;  ///< earlier partitions keep theirs
    bool for_workers = false;      ///< any worker that serves the job may claim them
};
struct StoredPlan {
    std::int64_t threads = 0;
    std::vector<PartitionExecution> partitions;  ///< of this StepExecution: those COMPLETED before are not in it
    bool for_workers = false;                    ///< asked for by the plan, or for all steps of the execution
};

struct PartitionEnd {
    BatchStatus status{};
    std::optional<std::string> exit_status;
    Progress progress;
    std::optional<Failure> failure;
    std::optional<std::string> collected;  ///< a batchlet's, at its end
    bool cut = false;
};

/// A partition that somebody has claimed in this StepExecution, as it stands.
struct PartitionNews {
    PartitionExecution partition;
    std::int64_t sequence = 0;  ///< the newest chunk that is committed
};

/// What a collector answered, in the order of one partition's answers.
struct CollectedData {
    std::int64_t partition = 0;
    std::int64_t sequence = 0;  ///< of the chunk it was committed with
    std::string data;
};

}  // namespace fermata
