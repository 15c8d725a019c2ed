#pragma once
// What a Repository holds.
#include "store.hpp"
#include "together.hpp"

#include <fermata/repository/repository.hpp>

#include <fmt/format.h>

#include <atomic>
#include <mutex>
#include <set>

namespace fermata {

/// The end of a partition that its owner wants recorded.
struct EndingPartition {
    const StepClaim& claim;
    const PartitionEnd& end;
};

struct Repository::Impl : Store {
    using Store::Store;
    using Write = StoreWrite;

    /// Whether the worker was enlisted here: then its row was written once, and is not written again when it has gone.
    [[nodiscard]] bool serves(const Worker& worker) {
        const std::lock_guard lock(mutex_);
        return serving_.contains(worker.record().incarnation);
    }
    void note_serving(const Worker& worker) {
        const std::lock_guard lock(mutex_);
        serving_.insert(worker.record().incarnation);
    }

    /// How often an owner wrote to its row of step_progress otherwise than by the commit of a chunk.
    std::atomic<std::int64_t> progress_writes{0};

    Together<EndingPartition> ending_partitions;

private:
    std::mutex mutex_;
    std::set<std::string> serving_;
};

[[nodiscard]] inline Error no_such_execution(JobExecutionId execution) {
    return Error(ErrorKind::not_found, fmt::format("there is no execution {}", execution.value()),
                 "fermata list shows those there are");
}

}  // namespace fermata
