#pragma once
// One execution with all that is told about it: `show`, `list` and, later, the API print this one value.
#include <fermata/model/records.hpp>

#include <fermata/repository/partitions.hpp>

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "local_time.hpp"
#include "output.hpp"
#include "session.hpp"

namespace fermata::cli {

/// A verb of this execution, whether its status allows it, and if not, why not.
struct Action {
    std::string_view name;
    bool allowed = false;
    std::string why_not;
};

struct ExecutionView {
    JobExecution execution;
    std::vector<StepExecution> steps;
    std::map<StepExecutionId, std::vector<PartitionExecution>> partitions;  ///< of partitioned steps
    std::vector<Action> actions;
    std::optional<WorkerRecord> owner = {};
    std::vector<StepCut> cuts;         ///< of the instance; `show` only
    std::vector<Pause> unserved = {};  ///< as unserved_pauses()
};

/// Partitions are read for JSON, which tells all, and where they may be what is still busy.
[[nodiscard]] ExecutionView view_of(Session& session, JobExecution execution);

/// All verbs, in a fixed order. A restart also needs that the job allows it: restartable, start-limit.
[[nodiscard]] std::vector<Action> actions_of(Session& session, const JobExecution& execution);

/// As an element of "partitions".
[[nodiscard]] std::string to_json(const PartitionExecution& partition);

/// "fermata.execution/1", on one line; all keys always present. Without steps for lists.
[[nodiscard]] std::string to_json(const ExecutionView& view, bool with_steps);

/// "COMPLETED", "owner lost".
[[nodiscard]] std::string status_text(const JobExecution& execution);
/// "✗ FAILED", coloured.
[[nodiscard]] std::string decorated_status(const JobExecution& execution, const Style& style);
/// Asked for, and COMPLETED before anything could rest: newest first.
[[nodiscard]] std::vector<Pause> unserved_pauses(Session& session, const JobExecution& execution);
/// "the pause that ann asked for at … was not served: nothing was left to do"; nothing if there are none.
[[nodiscard]] std::string unserved_text(const std::vector<Pause>& unserved);
[[nodiscard]] std::size_t steps_done(const ExecutionView& view);
/// Sum over the steps.
[[nodiscard]] Metrics totals_of(const std::vector<StepExecution>& steps);
/// Until now for what still runs.
[[nodiscard]] Duration duration_of(const std::optional<Timestamp>& from, const std::optional<Timestamp>& to);

}  // namespace fermata::cli
