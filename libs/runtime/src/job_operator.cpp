#include <fermata/runtime/job_operator.hpp>

#include "assemble.hpp"
#include "notify.hpp"
#include "request_watcher.hpp"
#include "running_execution.hpp"
#include "settle_counts.hpp"

#include <fermata/base/process.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <map>

namespace fermata {
namespace {

std::string default_actor() { return fmt::format("{}@{} pid {}", user_name(), host_name(), this_process().pid); }

template <class Exception = JobStartException>
[[noreturn]] void refuse(const JobDefinition& job, ErrorKind kind, Diagnostics diagnostics) {
    std::size_t errors = 0;
    std::string first;
    for (const Diagnostic& found : diagnostics.all())
        if (found.severity == Diagnostic::Severity::error && errors++ == 0) first = to_string(found);
    std::string message =
        errors == 1 ? first : fmt::format("job \"{}\" has {} errors; the first: {}", job.id, errors, first);
    throw Exception(kind, message, "fermata validate", std::move(diagnostics));
}

/// resolve and assemble, or every finding at once.
template <class Exception = JobStartException>
RunnableJob prepare(const JobDefinition& job, const Registry& registry, const Parameters& parameters,
                    const Parameters& system, ErrorKind kind = ErrorKind::invalid) {
    Resolution resolution = resolve(job, parameters, system);
    if (!resolution.job) refuse<Exception>(job, kind, std::move(resolution.diagnostics));
    Assembly assembly = assemble(std::move(*resolution.job), registry, parameters);
    if (!assembly.job) refuse<Exception>(job, kind, std::move(assembly.diagnostics));
    return std::move(*assembly.job);
}

StoredDefinition stored(const JobDefinition& job) { return {hash_of(job), job.id, to_json(job)}; }

[[noreturn]] void refuse_resume(JobExecutionId id, const ResumeAnswer& answer) {
    std::string message = fmt::format("cannot resume {}: it is {}", id.value(), to_string(answer.status));
    if (answer.resumed_by)
        message += fmt::format("; {} was first, at {}", printable(*answer.resumed_by), to_rfc3339(*answer.resumed_at));
    throw ConcurrentResume(ErrorKind::conflict, message, fmt::format("fermata show {}", id.value()));
}

std::optional<std::string> find_property(const ResolvedProperties& properties, std::string_view name) {
    for (const ResolvedProperty& property : properties)
        if (property.name == name) return property.value.str();
    return std::nullopt;
}

}  // namespace

struct JobOperator::Impl {
    Impl(Repository& the_repository, const Registry& the_registry, const sql::Drivers& the_drivers,
         Settings the_settings)
        : repository(the_repository), registry(the_registry), drivers(the_drivers), settings(std::move(the_settings)) {
        if (settings.actor.empty()) settings.actor = default_actor();
    }

    // --- this process as an owner: made when it first owns something, since looking needs none of it
    Worker& the_worker() {
        const std::lock_guard lock(mutex);
        if (!worker) worker = std::make_unique<Worker>(repository.data_folder());
        return *worker;
    }
    RequestWatcher& the_watcher() {
        const std::lock_guard lock(mutex);
        if (!watcher) watcher = std::make_unique<RequestWatcher>(repository);
        return *watcher;
    }

    void run(RunnableJob job, RunningExecution::Start start, const Parameters& parameters, bool accept_input = false) {
        JobContext context = context_of(*job.job, start.claim, parameters);
        context.accept_input = accept_input;
        const JobExecutionId id = start.claim.execution;
        RunningExecution::Surroundings surroundings{
            repository, registry, drivers, the_watcher(), the_worker().owner_fd(), crew};
        std::shared_ptr<RunningExecution> former;  // of this id; joined outside of the lock
        // Until it can be found here: its first step may ask for its stop.
        const std::lock_guard lock(mutex);
        auto execution =
            std::make_shared<RunningExecution>(surroundings, std::move(job), std::move(start), std::move(context));
        former = std::exchange(executions[id], std::move(execution));
    }
    JobContext context_of(const ResolvedJob& job, const Claim& claim, const Parameters& parameters) {
        JobContext context;
        context.job_name = job.id;
        context.instance_id = claim.instance;
        context.instance_uuid = claim.instance_uuid;
        context.execution_id = claim.execution;
        context.properties = Properties("job \"" + job.id + "\"", job.file, job.properties);
        context.parameters = parameters;
        context.working_directory = repository.find_instance(claim.instance)->working_directory;
        context.repository_url = settings.repository_url;
        context.data_folder = repository.data_folder();
        if (const auto row = repository.find_execution(claim.execution); row && row->exit_status)
            context.exit_status = row->exit_status;
        return context;
    }

    JobExecution execution(JobExecutionId id) {
        auto found = repository.find_execution(id);
        if (!found)
            throw NoSuchJobExecutionException(ErrorKind::not_found, fmt::format("there is no execution {}", id.value()),
                                              "fermata list");
        return std::move(*found);
    }
    JobDefinition definition_of(JobInstanceId instance) {
        const auto row = repository.definition_of(instance);
        if (!row)
            throw Error(ErrorKind::refused, fmt::format("instance {} has no stored definition", instance.value()));
        return job_definition_from_json(row->canonical);
    }
    /// `stop restart=` of the execution before it.
    std::optional<std::string> restarted_at(const JobExecution& execution) {
        return execution.restart_of ? this->execution(*execution.restart_of).restart_from : std::nullopt;
    }
    std::shared_ptr<RunningExecution> local(JobExecutionId id) {
        const std::lock_guard lock(mutex);
        const auto found = executions.find(id);
        return found == executions.end() ? nullptr : found->second;
    }

    [[noreturn]] void refuse_restart(JobExecutionId id, const RestartRefused& refused);
    void check_restartable(const JobExecution& execution);
    /// What is proved about the owner of a running execution; throws if it lives or cannot be judged.
    void require_dead_owner(const JobExecution& execution);

    Repository& repository;
    const Registry& registry;
    const sql::Drivers& drivers;
    Settings settings;
    std::mutex mutex;
    std::unique_ptr<Worker> worker;
    std::unique_ptr<RequestWatcher> watcher;
    Crew crew{settings.helpers};
    std::map<JobExecutionId, std::shared_ptr<RunningExecution>> executions;
};

JobOperator::JobOperator(Repository& repository, const Registry& registry, const sql::Drivers& drivers,
                         Settings settings)
    : impl_(std::make_unique<Impl>(repository, registry, drivers, std::move(settings))) {}

JobOperator::~JobOperator() {
    interrupt(false);
    impl_->executions.clear();  // joins their threads, before watcher and worker go
}

// --- start and restart ---------------------------------------------------------------------------------------------

JobExecutionId JobOperator::start(const JobDefinition& job, const StartOptions& options) {
    RunnableJob runnable = prepare(job, impl_->registry, options.parameters, impl_->settings.system_properties);
    const auto folder = options.working_directory.empty() ? std::filesystem::current_path()
                                                          : std::filesystem::absolute(options.working_directory);
    const auto launched = impl_->repository.launch({.definition = stored(job),
                                                    .instance_key = options.instance_key,
                                                    .parameters = options.parameters,
                                                    .working_directory = folder.string(),
                                                    .actor = impl_->settings.actor},
                                                   impl_->the_worker());
    if (const auto* exists = std::get_if<InstanceExists>(&launched))
        throw JobStartException(ErrorKind::conflict,
                                fmt::format(R"(job "{}" has an instance with the key "{}" already: execution {})",
                                            job.id, *options.instance_key, exists->latest.value()),
                                fmt::format("fermata show {}", exists->latest.value()));
    const auto& claim = std::get<Claim>(launched);
    impl_->run(std::move(runnable), {.claim = claim}, options.parameters);
    return claim.execution;
}

JobExecutionId JobOperator::restart(JobExecutionId id, const RestartOptions& options) {
    const JobExecution previous = impl_->execution(id);
    impl_->check_restartable(previous);
    const JobDefinition job = options.definition ? *options.definition : impl_->definition_of(previous.instance_id);
    RunnableJob runnable = prepare<JobRestartException>(job, impl_->registry, options.parameters,
                                                        impl_->settings.system_properties, ErrorKind::refused);
    RestartRequest request{.parameters = options.parameters,
                           .restartable = runnable.job->restartable,
                           .accept_sink = options.accept_sink,
                           .accept_input = options.accept_input,
                           .actor = impl_->settings.actor};
    if (options.definition) request.definition = stored(job);
    const auto restarted = impl_->repository.restart(id, request, impl_->the_worker());
    if (const auto* refused = std::get_if<RestartRefused>(&restarted)) impl_->refuse_restart(id, *refused);
    const auto& claim = std::get<Claim>(restarted);
    impl_->run(std::move(runnable),
               {.claim = claim, .start_at = previous.restart_from, .accept_sink = options.accept_sink},
               options.parameters, options.accept_input);
    return claim.execution;
}

/// The refusals that need no transaction, before the job is resolved: an execution that cannot be restarted is told so
/// whatever is wrong with its parameters. The transaction of the restart decides again.
void JobOperator::Impl::check_restartable(const JobExecution& execution) {
    const auto newest = repository.find_executions({.instance = execution.instance_id, .limit = 1});
    RestartRefused refused{.status = execution.status, .latest = newest.front().id};
    if (newest.front().id != execution.id)
        refused.reason = RestartRefused::Reason::not_most_recent;
    else if (execution.status == BatchStatus::completed)
        refused.reason = RestartRefused::Reason::already_complete;
    else if (execution.status == BatchStatus::abandoned)
        refused.reason = RestartRefused::Reason::abandoned;
    else if (execution.status == BatchStatus::paused)
        refused.reason = RestartRefused::Reason::waits;
    else
        return;
    refuse_restart(execution.id, refused);
}

void JobOperator::Impl::refuse_restart(JobExecutionId id, const RestartRefused& refused) {
    const auto number = id.value();
    switch (refused.reason) {
        case RestartRefused::Reason::not_most_recent:
            throw JobExecutionNotMostRecentException(
                ErrorKind::conflict,
                fmt::format("cannot restart {}: {} is the newest execution of its instance", number,
                            refused.latest.value()),
                fmt::format("fermata restart {}", refused.latest.value()));
        case RestartRefused::Reason::already_complete:
            throw JobExecutionAlreadyCompleteException(
                ErrorKind::conflict,
                fmt::format("cannot restart {}: it is COMPLETED; only FAILED, STOPPED can be restarted", number),
                "run the job again for a new instance");
        case RestartRefused::Reason::abandoned:
            throw JobRestartException(
                ErrorKind::conflict,
                fmt::format("cannot restart {}: it is ABANDONED; only FAILED, STOPPED can be restarted", number),
                "run the job again for a new instance");
        case RestartRefused::Reason::not_restartable:
            throw JobRestartException(ErrorKind::conflict,
                                      fmt::format("cannot restart {}: its job says restartable=\"false\"", number),
                                      "run the job again for a new instance");
        case RestartRefused::Reason::waits:
            throw JobRestartException(ErrorKind::conflict,
                                      fmt::format("cannot restart {}: it is {} and goes on with fermata resume", number,
                                                  to_string(refused.status)),
                                      fmt::format("fermata resume {}", number));
        case RestartRefused::Reason::running:
            break;
    }
    throw JobRestartException(
        ErrorKind::conflict,
        fmt::format("cannot restart {}: it is {}, owned by {}", number, to_string(refused.status), refused.owner),
        fmt::format("fermata stop {}", number));
}

// --- requests ------------------------------------------------------------------------------------------------------

StopAnswer JobOperator::stop(JobExecutionId id, bool now) {
    const JobExecution asked = impl_->execution(id);
    const StopAnswer answer = impl_->repository.request_stop(id, {.now = now, .actor = impl_->settings.actor});
    if (answer.effect == StopAnswer::Effect::not_running)
        throw JobExecutionNotRunningException(
            ErrorKind::conflict, fmt::format("cannot stop {}: it is {}; only what runs or is PAUSED can be stopped",
                                             id.value(), to_string(answer.status)));
    if (answer.effect == StopAnswer::Effect::stopped)
        settle_counts(impl_->repository, impl_->drivers, asked.instance_id);
    if (const auto execution = impl_->local(id)) execution->request_stop(StopReason::operator_asked, now);
    return answer;
}

PauseAnswer JobOperator::pause(JobExecutionId id, const PauseOptions& options) {
    impl_->execution(id);
    const OutsidePause request{.what = {.point = options.point,
                                        .message = options.message,
                                        .timeout = options.timeout,
                                        .on_timeout = options.on_timeout},
                               .after_step = options.after_step,
                               .actor = impl_->settings.actor};
    const PauseAnswer answer = impl_->repository.request_pause(id, request);
    if (answer.effect == PauseAnswer::Effect::not_running)
        throw JobExecutionNotRunningException(
            ErrorKind::conflict, fmt::format("cannot pause {}: it is {}; only STARTING, STARTED can be paused",
                                             id.value(), to_string(answer.status)));
    return answer;
}

ResumeAnswer JobOperator::resume(JobExecutionId id, const ResumeOptions& options) {
    using Effect = ResumeAnswer::Effect;
    const JobExecution execution = impl_->execution(id);
    if (options.payload) (void)checked_payload(*options.payload);
    const JobDefinition job = impl_->definition_of(execution.instance_id);
    RunnableJob runnable = prepare<JobRestartException>(job, impl_->registry, execution.parameters,
                                                        impl_->settings.system_properties, ErrorKind::refused);
    const ResumeAnswer answer = impl_->repository.resume(
        id, {.point = options.point, .seen = options.seen, .payload = options.payload, .actor = impl_->settings.actor},
        impl_->the_worker());
    if (answer.effect == Effect::conflict) refuse_resume(id, answer);
    if (answer.effect == Effect::no_such_point)
        throw Error(ErrorKind::not_found,
                    fmt::format("execution {} does not wait at \"{}\"", id.value(), printable(*options.point)),
                    fmt::format("fermata show {} --waits", id.value()));
    if (answer.effect == Effect::owned)
        impl_->run(std::move(runnable),
                   {.claim = {answer.execution, answer.instance, answer.instance_uuid, answer.epoch},
                    .start_at = impl_->restarted_at(execution),
                    .adopted = true,
                    .begun = answer.begun},
                   execution.parameters);
    return answer;
}

SignalAnswer JobOperator::signal(JobExecutionId id, SignalRequest request) {
    impl_->execution(id);
    if (request.payload) (void)checked_payload(*request.payload);
    if (request.sender.empty()) request.sender = impl_->settings.actor;
    return impl_->repository.signal(id, request);
}

bool JobOperator::serve_duties() {
    try {
        if (!impl_->repository.has_duties()) return false;
        impl_->repository.serve_deadlines(impl_->settings.actor);
        send_notifications(
            impl_->repository,
            {.registry = impl_->registry, .drivers = impl_->drivers, .repository_url = impl_->settings.repository_url});
        return true;
    } catch (const std::exception&) {
        // Who came for something else is not kept from it; whoever comes next serves what is left.
        return false;
    }
}

void JobOperator::abandon(JobExecutionId id) {
    impl_->execution(id);
    const BatchStatus before = impl_->repository.abandon(id, impl_->settings.actor);
    if (is_running(before))
        throw JobExecutionIsRunningException(ErrorKind::conflict,
                                             fmt::format("cannot abandon {}: it is {}", id.value(), to_string(before)),
                                             fmt::format("fermata stop {}", id.value()));
}

void JobOperator::recover(JobExecutionId id) {
    const JobExecution execution = impl_->execution(id);
    impl_->require_dead_owner(execution);
    if (execution.status == BatchStatus::pausing && impl_->repository.pause_lost(id, impl_->settings.actor)) {
        serve_duties();  // the dead owner would have notified
        return;
    }
    const JobDefinition job = impl_->definition_of(execution.instance_id);
    RunnableJob runnable = prepare<JobRestartException>(job, impl_->registry, execution.parameters,
                                                        impl_->settings.system_properties, ErrorKind::refused);
    if (find_property(runnable.job->properties, "fermata.on-owner-loss") == "fail") return fail_lost(id);
    const auto claim = impl_->repository.adopt(id, impl_->the_worker(), impl_->settings.actor);
    if (!claim) impl_->require_dead_owner(impl_->execution(id));
    if (!claim)
        throw Error(ErrorKind::conflict,
                    fmt::format("execution {} was taken over by somebody else just now", id.value()));
    impl_->run(std::move(runnable), {.claim = *claim, .start_at = impl_->restarted_at(execution), .adopted = true},
               execution.parameters);
}

void JobOperator::fail_lost(JobExecutionId id) {
    const JobExecution execution = impl_->execution(id);
    impl_->require_dead_owner(execution);
    if (impl_->repository.fail_lost(id, impl_->settings.actor))
        settle_counts(impl_->repository, impl_->drivers, execution.instance_id);
    else
        impl_->require_dead_owner(impl_->execution(id));
}

void JobOperator::Impl::require_dead_owner(const JobExecution& execution) {
    if (!is_running(execution.status))
        throw JobExecutionNotRunningException(
            ErrorKind::conflict,
            fmt::format("cannot recover {}: it is {}, not running", execution.id.value(), to_string(execution.status)));
    const auto proof = repository.owner_liveness(execution.id);
    if (execution.status == BatchStatus::starting && !execution.owner)
        throw Error(
            ErrorKind::conflict,
            fmt::format("cannot recover {}: it has lost nobody; it waits for somebody to run it", execution.id.value()),
            fmt::format("fermata resume {}", execution.id.value()));
    if (!proof || proof->liveness == Liveness::dead) return;
    throw Error(ErrorKind::conflict,
                fmt::format("cannot recover {}: its owner {}: {}", execution.id.value(),
                            proof->liveness == Liveness::alive ? "lives" : "is not proved dead", proof->evidence),
                proof->liveness == Liveness::alive ? fmt::format("fermata stop {}", execution.id.value())
                                                   : "run fermata recover where its owner ran");
}

// --- executions of this process --------------------------------------------------------------------------------------

std::optional<JobExecution> JobOperator::wait(JobExecutionId id, std::optional<Duration> timeout) {
    if (const auto execution = impl_->local(id)) {
        if (!execution->wait(timeout)) return std::nullopt;
        if (execution->trouble()) std::rethrow_exception(execution->trouble());
    }
    return impl_->execution(id);
}

std::optional<RunningJob> JobOperator::running(JobExecutionId id) {
    if (const auto execution = impl_->local(id)) return execution->display();
    return std::nullopt;
}

void JobOperator::interrupt(bool now) {
    std::vector<std::pair<JobExecutionId, std::shared_ptr<RunningExecution>>> all;
    {
        const std::lock_guard lock(impl_->mutex);
        all.assign(impl_->executions.begin(), impl_->executions.end());
    }
    for (const auto& [id, execution] : all) {
        if (execution->display().ended) continue;
        try {
            impl_->repository.request_stop(id, {.now = now, .actor = impl_->settings.actor});
        } catch (const std::exception&) {
            // The record of who asked is lost; the stop itself is not.
        }
        execution->request_stop(StopReason::interrupted, now);
    }
}

// --- queries -------------------------------------------------------------------------------------------------------

std::vector<std::string> JobOperator::job_names() { return impl_->repository.job_names(); }

std::int64_t JobOperator::job_instance_count(const std::string& job_name) {
    const auto count = impl_->repository.instance_count(job_name);
    if (count == 0)
        throw NoSuchJobException(ErrorKind::not_found,
                                 fmt::format("no job \"{}\" was ever started here", printable(job_name)));
    return count;
}

std::vector<JobInstance> JobOperator::job_instances(const std::string& job_name, std::int64_t start,
                                                    std::int64_t count) {
    (void)job_instance_count(job_name);  // throws if there is no such job
    return impl_->repository.instances_of(job_name, start, count);
}

std::vector<JobExecutionId> JobOperator::running_executions(const std::string& job_name) {
    (void)job_instance_count(job_name);
    std::vector<JobExecutionId> ids;
    for (const JobExecution& execution : impl_->repository.find_executions(
             {.statuses = {BatchStatus::starting, BatchStatus::started, BatchStatus::stopping, BatchStatus::pausing},
              .job_name = job_name,
              .limit = 1'000'000}))
        ids.push_back(execution.id);
    return ids;
}

Parameters JobOperator::parameters(JobExecutionId id) { return impl_->execution(id).parameters; }

JobInstance JobOperator::job_instance(JobExecutionId id) {
    return *impl_->repository.find_instance(impl_->execution(id).instance_id);
}

std::vector<JobExecution> JobOperator::job_executions(JobInstanceId instance) {
    if (!impl_->repository.find_instance(instance))
        throw NoSuchJobInstanceException(ErrorKind::not_found,
                                         fmt::format("there is no instance {}", instance.value()));
    return impl_->repository.find_executions({.instance = instance, .limit = 1'000'000});
}

JobExecution JobOperator::job_execution(JobExecutionId id) { return impl_->execution(id); }

std::vector<StepExecution> JobOperator::step_executions(JobExecutionId id) {
    impl_->execution(id);
    return impl_->repository.steps_of(id);
}

}  // namespace fermata
