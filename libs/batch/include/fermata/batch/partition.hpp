#pragma once
// What decides and what divides (Jakarta Batch §9.5, §9.6): derive from one of these and register the class with
// registry.decider<D>("name"), mapper, collector, analyzer or reducer. An exception from a decider fails the job, from
// any of the others the step.
#include <fermata/model/records.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace fermata {

/// Answers what a decision comes to. One instance a decision and execution; called on the thread of the job or of the
/// split's flow, whose JobContext it may keep. The StepContext it is made with has the decision's name, a log, the stop
/// signal and the drivers; there is no StepExecution.
struct Decider {
    virtual ~Decider() = default;
    /// `steps`: the StepExecution before it; after a flow its last one, after a split the last one of each flow;
    /// possibly of an earlier JobExecution. The answer is matched by the decision's transition elements and becomes the
    /// job's exit status; "" unsets it. Never asked again once it is recorded, whoever adopts the execution.
    virtual std::string decide(std::span<const StepExecution> steps) = 0;
};

/// What a mapper answers.
struct PartitionPlan {
    std::int64_t partitions = 0;
    std::int64_t threads = 0;                 ///< at most so many at once; 0 = as many as partitions
    std::vector<Parameters> properties = {};  ///< of partition 0, 1, …: what #{partitionPlan['name']} means there
    /// On a restart: forget the earlier partitions and take this plan as a new one. Otherwise the number of partitions
    /// stays what it was, COMPLETED ones stay so, and partition n gets the n-th properties of this plan.
    bool override_partitions = false;
    /// On a restart partitions keep the properties they had: for plans made from what may have changed meanwhile.
    bool keep_properties = false;
};

/// Once a StepExecution, on the step's thread, before any partition.
struct PartitionMapper {
    virtual ~PartitionMapper() = default;
    virtual PartitionPlan map_partitions() = 0;
};

/// One instance a partition, on its thread: before each commit of a chunk step, once at the end of a batchlet. What it
/// answers is stored in that commit, then handed to the analyzer; nothing = there is nothing to tell.
struct PartitionCollector {
    virtual ~PartitionCollector() = default;
    virtual std::optional<std::string> collect_partition_data() = 0;
};

/// One instance a StepExecution, on the step's thread. Of each partition: its data in order, then its end.
struct PartitionAnalyzer {
    virtual ~PartitionAnalyzer() = default;
    virtual void analyze_collector_data(const std::string& /*data*/) {}
    virtual void analyze_status(BatchStatus /*status*/, const std::string& /*exit_status*/) {}
};

enum class PartitionStatus : std::uint8_t { commit, rollback };

/// One instance a StepExecution, on the step's thread.
struct PartitionReducer {
    virtual ~PartitionReducer() = default;
    virtual void begin_partitioned_step() {}              ///< before the mapper
    virtual void before_partitioned_step_completion() {}  ///< all partitions are COMPLETED
    virtual void rollback_partitioned_step() {}           ///< some are not, or an artifact failed
    virtual void after_partitioned_step_completion(PartitionStatus) {}
};

}  // namespace fermata
