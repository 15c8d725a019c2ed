#pragma once
// `run` and `start`: a new instance, or what the instance of a key needs to go on.
#include <optional>
#include <string>

#include "exit_code.hpp"
#include "job_arguments.hpp"

namespace fermata::cli {

class Launching {
public:
    enum class Where : std::uint8_t { here, by_a_worker };

    void describe(Options& options);
    /// The execution that runs or waits for a worker now; nothing if there is nothing to do: see settled().
    std::optional<JobExecutionId> begin(Session& session, Where where);
    /// Loads the job; to be called before begin(). Tells of parameters that look like slips of the keyboard.
    void load(Session& session);
    [[nodiscard]] ExitCode settled() const noexcept { return settled_; }

private:
    std::optional<JobExecutionId> go_on(Session& session, const JobInstance& instance);
    /// Nothing is to be done.
    std::nullopt_t settle_completed(Session& session, const JobExecution& latest);
    std::nullopt_t settle_paused(Session& session, const JobExecution& latest);
    /// Of one that waits for a worker.
    JobExecutionId take(Session& session, const JobExecution& waiting, const JobInstance& instance) const;
    JobExecutionId recover(Session& session, JobExecutionId lost) const;
    JobExecutionId restart(Session& session, JobExecutionId latest, const JobInstance& instance) const;

    JobArgument argument_;
    ParameterArguments given_;
    std::optional<std::string> key_;
    bool for_workers_ = false;
    JobDefinition job_;
    Parameters parameters_;
    Diagnostics slips_;  ///< were told
    Where where_ = Where::here;
    ExitCode settled_ = ExitCode::ok;
};

}  // namespace fermata::cli
