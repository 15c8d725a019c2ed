#pragma once
// The front door (Jakarta Batch §10.9.7): start, restart, stop, abandon, recover, inspect. Executions run on threads of
// this object; the destructor asks them to stop and waits. All methods may be called from any thread.
#include <fermata/batch/registry.hpp>
#include <fermata/model/job_definition.hpp>
#include <fermata/model/records.hpp>
#include <fermata/repository/repository.hpp>
#include <fermata/runtime/exceptions.hpp>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

namespace sql {
class Drivers;
}
class Doorbell;

struct StartOptions {
    Parameters parameters = {};
    std::optional<std::string> instance_key = {};
    std::filesystem::path working_directory = {};  ///< empty = the current one
    bool for_workers = false;                      ///< workers may claim the partitions of all its steps
};
struct RestartOptions {
    Parameters parameters = {};                    ///< all of them: nothing is taken from earlier executions (§10.8.1)
    std::optional<JobDefinition> definition = {};  ///< replaces the stored one, recorded
    bool accept_sink = false;                      ///< the sink's word counts where it and the repository differ
    bool accept_input = false;                     ///< input files may have changed behind the checkpoint
    bool for_workers = false;                      ///< as StartOptions'; what the execution before said stays
};

/// What an execution running in this process is doing: memory only, as of the last chunk; for progress displays.
struct RunningStep {
    std::string name;
    StepExecutionId id;
    BatchStatus status{};
    Metrics metrics;
    Metrics before = {};         ///< of them, what had been done before it was entered here, at `started`
    double fraction = -1;        ///< of the input, -1 unknown
    double fraction_before = 0;  ///< as it was entered here
    Timestamp started;
    std::optional<Timestamp> ended;
    std::optional<std::string> exit_status;
    bool passed = false;  ///< COMPLETED earlier, passed over
};
struct RunningJob {
    JobExecutionId id;
    BatchStatus status{};
    std::vector<RunningStep> steps;  ///< in the order of entry
    std::vector<std::string> ahead;  ///< steps of the definition not yet entered
    bool ended = false;
};

struct PauseOptions {
    std::string point = "operator";
    std::string message = {};
    bool after_step = false;  ///< running steps end first; else chunk steps rest at the end of their chunk
    std::optional<Duration> timeout = {};
    OnTimeout on_timeout = OnTimeout::fail;
};
struct ResumeOptions {
    std::optional<std::string> point = {};    ///< nothing: all open pauses
    std::optional<std::string> payload = {};  ///< JSON, for the steps entered next
    std::optional<std::int64_t> seen = {};    ///< JobExecution::pauses as the caller saw it: a newer pause is not meant
};

class JobOperator {
public:
    struct Settings {
        std::string actor = {};             ///< "ann@host pid 4711"; made up from the process if empty
        Parameters system_properties = {};  ///< `-D`
        std::string repository_url = {};    ///< for children, FERMATA_REPOSITORY: absolute, they may run elsewhere
        std::size_t helpers = 32;      ///< threads for partitions and flows of splits, made when needed; 0 is enough
        Doorbell* doorbell = nullptr;  ///< rung after each commit that leaves work for workers; outlives this
    };
    /// REQUIRES: repository, registry and drivers outlive this.
    JobOperator(Repository& repository, const Registry& registry, const sql::Drivers& drivers, Settings settings);
    ~JobOperator();

    // --- verbs -----------------------------------------------------------------------------------------------------
    /// Resolves and assembles, then creates instance and execution, then runs it on a thread of its own. On return the
    /// execution exists, STARTED and owned by this process. Throws JobStartException with every finding; nothing is
    /// left behind then. With an instance key that exists: JobStartException(conflict).
    JobExecutionId start(const JobDefinition& job, const StartOptions& options);
    /// A new execution of the same instance. Throws in this order: NoSuchJobExecution, JobExecutionNotMostRecent,
    /// JobExecutionAlreadyComplete, JobRestart (ABANDONED, restartable=false, running elsewhere, cannot assemble).
    JobExecutionId restart(JobExecutionId execution, const RestartOptions& options);
    /// As start and restart, but a worker that serves this very definition runs it: STARTING and nobody's on return.
    /// The system properties are then the worker's.
    JobExecutionId submit(const JobDefinition& job, const StartOptions& options);
    JobExecutionId submit_restart(JobExecutionId execution, const RestartOptions& options);
    /// Returns when the request is recorded. Throws NoSuchJobExecution, JobExecutionNotRunning. Asking again is no
    /// error.
    StopAnswer stop(JobExecutionId execution, bool now = false);
    /// Ends one step that runs; the job goes on behind it. The step is COMPLETED as far as it came, with exit status
    /// STEP_STOPPED unless an artifact sets another one after this. Returns when the request is recorded. Throws
    /// NoSuchJobExecution; JobExecutionNotRunning, also for one that is STOPPING; Error(conflict) if the step does not
    /// run. Asking again is no error.
    StepStopAnswer stop_step(JobExecutionId execution, const std::string& step, bool now = false);
    /// Returns when the request is recorded. Throws NoSuchJobExecution, JobExecutionNotRunning; Error(invalid) for an
    /// empty point, or text that is no UTF-8. Asking again is no error.
    PauseAnswer pause(JobExecutionId execution, const PauseOptions& options = {});
    /// Completes open pauses. If none is left of a PAUSED execution it runs here, on a thread of its own: the same
    /// JobExecution and StepExecutions go on. Throws NoSuchJobExecution; JobRestart if it cannot be assembled;
    /// ConcurrentResume if there is nothing to resume (any more); Error(not_found) if nothing waits at that point;
    /// Error(invalid) for a payload that is not JSON or too large.
    ResumeAnswer resume(JobExecutionId execution, const ResumeOptions& options = {});
    /// The same, but a worker runs it.
    ResumeAnswer submit_resume(JobExecutionId execution, const ResumeOptions& options = {});
    /// An empty sender is this operator's actor. Throws NoSuchJobExecution, Error(invalid) as resume; what became of
    /// the signal is in the answer.
    SignalAnswer signal(JobExecutionId execution, SignalRequest request);
    /// Serves what time demands: pauses that were open too long, notifications that were not sent. True if anything was
    /// done. Nothing of it throws.
    bool serve_duties();
    /// The first half of it, at once. True if there may be notifications to send.
    bool serve_deadlines();
    /// The second: their commands may take half a minute.
    void serve_notifications();
    /// Throws NoSuchJobExecution, JobExecutionIsRunning.
    void abandon(JobExecutionId execution);
    /// Takes over an execution whose owner is dead and runs it here, on a thread of its own: the same execution goes
    /// on; one that is PAUSING enters nothing and is PAUSED. Throws NoSuchJobExecution; JobExecutionNotRunning;
    /// Error(conflict) if its owner lives, or cannot be proved dead.
    void recover(JobExecutionId execution);
    /// The same, but a worker runs it; one that was STOPPING is STOPPED.
    void submit_recovery(JobExecutionId execution);
    /// Marks it FAILED instead. Throws as recover.
    void fail_lost(JobExecutionId execution);

    // --- executions of this process ----------------------------------------------------------------------------------
    /// Until the execution, running by this object, has ended or is PAUSED; nothing after `timeout`. Of any other it
    /// answers at once what the row says. Throws NoSuchJobExecution; what kept the end from being recorded, as a
    /// database that is gone.
    std::optional<JobExecution> wait(JobExecutionId execution, std::optional<Duration> timeout = std::nullopt);
    [[nodiscard]] std::optional<RunningJob> running(JobExecutionId execution);
    /// Stop all executions of this process: a signal handler's thread calls it. `now` kills children. PAUSED stays so.
    void interrupt(bool now);

    // --- queries (§10.9.7) -------------------------------------------------------------------------------------------
    [[nodiscard]] std::vector<std::string> job_names();
    [[nodiscard]] std::int64_t job_instance_count(const std::string& job_name);
    [[nodiscard]] std::vector<JobInstance> job_instances(const std::string& job_name, std::int64_t start,
                                                         std::int64_t count);
    [[nodiscard]] std::vector<JobExecutionId> running_executions(const std::string& job_name);
    [[nodiscard]] Parameters parameters(JobExecutionId execution);
    [[nodiscard]] JobInstance job_instance(JobExecutionId execution);
    [[nodiscard]] std::vector<JobExecution> job_executions(JobInstanceId instance);
    [[nodiscard]] JobExecution job_execution(JobExecutionId execution);
    [[nodiscard]] std::vector<StepExecution> step_executions(JobExecutionId execution);

private:
    friend class WorkerService;
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// Everything wrong with a job that can be told without starting it: `resolve` or `check`, plus artifacts, properties,
/// exception classes, and item types that do not fit. `parameters` absent: expressions are not judged.
[[nodiscard]] Diagnostics validate(const JobDefinition& job, const Registry& registry,
                                   const std::optional<Parameters>& parameters, const Parameters& system_properties);
/// Warnings about given parameters that neither an expression nor an artifact asks for, where a name that is asked for
/// and was not given is near: a slip of the keyboard, most likely. Others may be labels, or be meant for a command's
/// environment.
[[nodiscard]] Diagnostics unused_parameters(const JobDefinition& job, const Registry& registry, const Parameters& given,
                                            const Parameters& system_properties);
/// Warnings about properties with a password in plain text in a URL, which would be stored with the job; `validate`
/// tells them, too. None if the job does not resolve.
[[nodiscard]] Diagnostics passwords_in(const JobDefinition& job, const Parameters& parameters,
                                       const Parameters& system_properties);

}  // namespace fermata
