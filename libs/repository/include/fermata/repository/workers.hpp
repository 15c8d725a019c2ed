#pragma once
// Processes that serve: they claim executions that wait for a worker, as many as they have free slots.
#include <fermata/model/records.hpp>
#include <fermata/repository/worker.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fermata {

struct ServedJob {
    std::string job_name;
    std::string definition_hash;  ///< an execution of another definition of this name is not claimed
    auto operator<=>(const ServedJob&) const = default;
};
/// An execution that was submitted just now.
struct Offer {
    JobExecutionId execution;
    std::string definition_hash;
};
struct WorkerTerms {
    std::int64_t slots = 1;
    bool draining = false;  ///< claims nothing more
    std::vector<ServedJob> jobs;
};

/// A row of `worker`. One that does not serve has no slots: it is the process of a `run`, `resume` or `recover`.
struct WorkerState {
    WorkerRecord record;
    std::int64_t slots = 0;
    bool draining = false;
    std::int64_t owns = 0;          ///< executions
    std::int64_t partitions = 0;    ///< of steps whose partitions workers claim
    std::vector<std::string> jobs;  ///< names, in their order
    LivenessEvidence liveness;
};

}  // namespace fermata
