#pragma once
// What a JobOperator holds, and how an execution that is owned begins to run in this process.
#include "request_watcher.hpp"
#include "running_execution.hpp"

#include <fermata/runtime/job_operator.hpp>

#include <map>
#include <mutex>

namespace fermata {

struct JobOperator::Impl {
    Impl(Repository& the_repository, const Registry& the_registry, const sql::Drivers& the_drivers,
         Settings the_settings);

    /// This process as an owner: made when it first owns something, since looking needs none of it.
    Worker& the_worker();
    RequestWatcher& the_watcher();

    /// Runs it beside all others, to be found by its id.
    void run(RunnableJob job, RunningExecution::Start start, const Parameters& parameters, bool accept_input = false);
    void run(RunnableJob job, RunningExecution::Start start, JobContext context);
    /// Resumes what has rested here in that step: nothing is read again unless somebody else has owned it since.
    ResumeAnswer resume_here(RunningExecution& rested, const StepClaim& step, const ResumeOptions& options);
    [[nodiscard]] RunningExecution::Surroundings surroundings_of(const Worker& owner);
    /// Of one that claims partitions for all that it runs.
    [[nodiscard]] RunningExecution::Surroundings surroundings_of_service(const Worker& owner);
    JobContext context_of(const ResolvedJob& job, const Claim& claim, const Parameters& parameters);

    JobExecution execution(JobExecutionId id);
    JobDefinition definition_of(JobInstanceId instance);
    /// `stop restart=` of the execution before it.
    std::optional<std::string> restarted_at(const JobExecution& execution);
    std::shared_ptr<RunningExecution> local(JobExecutionId id);
    /// There is work of it for so many workers; to be called after the commit.
    void ring(JobExecutionId id, std::int64_t workers = 1) noexcept;

    struct Restart {
        RunnableJob job;
        RestartRequest request;
    };
    LaunchRequest launch_request(const JobDefinition& job, const StartOptions& options);
    StoredDefinition stored(const JobDefinition& job);
    Restart prepare_restart(const JobExecution& previous, const RestartOptions& options);
    ResumeRequest resume_request(const ResumeOptions& options) const;
    RunnableJob prepare_resume(const JobExecution& execution, const ResumeOptions& options);
    [[noreturn]] void refuse_recovery(JobExecutionId id);
    [[noreturn]] void refuse_restart(JobExecutionId id, const RestartRefused& refused);
    void check_restartable(const JobExecution& execution);
    /// What is proved about the owner of a running execution; throws if it lives or cannot be judged.
    void require_dead_owner(const JobExecution& execution);

    Repository& repository;
    const Registry& registry;
    const sql::Drivers& drivers;
    Settings settings;
    std::mutex mutex;
    /// By its hash: what waits is resumed again and again.
    std::optional<std::pair<std::string, JobDefinition>> last_definition;
    /// And the one started last, as it is stored: some programs start one again and again.
    std::optional<std::pair<JobDefinition, StoredDefinition>> last_stored;
    std::unique_ptr<Worker> worker;
    Chime chime;
    std::unique_ptr<RequestWatcher> watcher;
    Crew crew{settings.helpers};
    Threads threads;
    std::map<JobExecutionId, std::shared_ptr<RunningExecution>> executions;
};

}  // namespace fermata
