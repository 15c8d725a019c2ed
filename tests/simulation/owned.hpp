#pragma once
// What is owned under an epoch: an execution, or a partition that a worker has claimed.
#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

#include <optional>
#include <string>
#include <utility>

namespace fermata::simulation {

struct Owned {
    explicit Owned(Claim execution) : claim(std::move(execution)), epoch(claim.epoch) {}
    explicit Owned(const StepClaim& claimed)
        : claim(claimed.execution),
          epoch(claimed.epoch),
          step(claimed.step),
          partition(PartitionKey{claimed.id, claimed.partition - 1}) {}

    [[nodiscard]] bool is_partition() const { return partition.has_value(); }
    [[nodiscard]] std::string shown() const {
        if (!partition) return fmt::format("execution {}", claim.execution.value());
        return fmt::format("partition {} of {} of execution {}", partition->number, step, claim.execution.value());
    }

    /// The same for every StepExecution of it.
    [[nodiscard]] std::string lasting_name() const {
        if (!partition) return shown();
        return fmt::format("partition {} of {} of instance {}", partition->number, step, claim.instance.value());
    }

    Claim claim;  ///< of a partition: without the right to its execution
    std::int64_t epoch = 0;
    std::string step = {};
    std::optional<PartitionKey> partition = {};
};

/// Who owns it, as its rows say.
struct Holding {
    std::int64_t epoch = 0;
    BatchStatus status{};
    std::string owner;  ///< its incarnation
    [[nodiscard]] bool runs() const { return is_running(status); }
};

}  // namespace fermata::simulation
