#include <fermata/runtime/job_operator.hpp>

#include "job_operator_impl.hpp"
#include "notify.hpp"
#include "prepare.hpp"
#include "settle_counts.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

[[noreturn]] void refuse_start(const JobDefinition& job, const StartOptions& options, const InstanceExists& exists) {
    throw JobStartException(ErrorKind::conflict,
                            fmt::format(R"(job "{}" has an instance with the key "{}" already: execution {})", job.id,
                                        *options.instance_key, exists.latest.value()),
                            fmt::format("fermata show {}", exists.latest.value()));
}

/// What is told to whoever asks something of an execution whose status forbids it.
std::string instead(JobExecutionId id, BatchStatus status) {
    return fmt::format("fermata {} {}", status == BatchStatus::stopping ? "wait" : "show", id.value());
}

[[noreturn]] void refuse_resume(Repository& repository, JobExecutionId id, const ResumeOptions& options,
                                const ResumeAnswer& answer) {
    std::string message = fmt::format("cannot resume {}: it is {}", id.value(), to_string(answer.status));
    const auto execution = repository.find_execution(id);
    if (execution && execution->owner_lost)
        throw ConcurrentResume(ErrorKind::conflict, message + " and its owner is dead",
                               fmt::format("fermata recover {}", id.value()));
    const bool waits = answer.status == BatchStatus::paused || answer.status == BatchStatus::pausing;
    if (execution && waits && options.seen && *options.seen != execution->pauses)
        message += fmt::format(", and its newest pause is {}, not {}", execution->pauses, *options.seen);
    if (answer.resumed_by && !has_ended(answer.status))
        message += fmt::format("; {} was first, at {}", printable(*answer.resumed_by), to_rfc3339(*answer.resumed_at));
    throw ConcurrentResume(
        ErrorKind::conflict, message,
        is_restartable(answer.status) ? fmt::format("fermata restart {}", id.value()) : instead(id, answer.status));
}

void check_resumed(Repository& repository, JobExecutionId id, const ResumeOptions& options,
                   const ResumeAnswer& answer) {
    if (answer.effect == ResumeAnswer::Effect::conflict) refuse_resume(repository, id, options, answer);
    if (answer.effect != ResumeAnswer::Effect::no_such_point) return;
    throw Error(ErrorKind::not_found,
                fmt::format("execution {} does not wait at \"{}\"", id.value(), printable(*options.point)),
                fmt::format("fermata show {} --waits", id.value()));
}

[[noreturn]] void refuse_step_stop(Repository& repository, JobExecutionId id, const std::string& step,
                                   const StepStopAnswer& answer) {
    std::string running;
    for (const StepExecution& each : repository.steps_of(id))
        if (each.status == BatchStatus::started)
            running += fmt::format("{}{}", running.empty() ? "" : ", ", printable(each.name));
    throw Error(ErrorKind::conflict,
                fmt::format("cannot stop step \"{}\" of {}: it {}", printable(step), id.value(),
                            answer.step ? fmt::format("is {}", to_string(*answer.step)) : "was not entered"),
                running.empty() ? "no step runs" : fmt::format("what runs: {}", running));
}

}  // namespace

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
    const auto launched = impl_->repository.launch(impl_->launch_request(job, options), impl_->the_worker());
    if (const auto* exists = std::get_if<InstanceExists>(&launched)) refuse_start(job, options, *exists);
    const auto& claim = std::get<Claim>(launched);
    impl_->run(std::move(runnable), {.claim = claim}, options.parameters);
    return claim.execution;
}

JobExecutionId JobOperator::submit(const JobDefinition& job, const StartOptions& options) {
    (void)prepare(job, impl_->registry, options.parameters, impl_->settings.system_properties);
    const auto submitted = impl_->repository.submit(impl_->launch_request(job, options));
    if (const auto* exists = std::get_if<InstanceExists>(&submitted)) refuse_start(job, options, *exists);
    const auto execution = std::get<JobExecutionId>(submitted);
    impl_->ring(execution);
    return execution;
}

JobExecutionId JobOperator::restart(JobExecutionId id, const RestartOptions& options) {
    const JobExecution previous = impl_->execution(id);
    Impl::Restart restart = impl_->prepare_restart(previous, options);
    const auto restarted = impl_->repository.restart(id, restart.request, impl_->the_worker());
    if (const auto* refused = std::get_if<RestartRefused>(&restarted)) impl_->refuse_restart(id, *refused);
    const auto& claim = std::get<Claim>(restarted);
    impl_->run(std::move(restart.job),
               {.claim = claim, .start_at = previous.restart_from, .accept_sink = options.accept_sink},
               options.parameters, options.accept_input);
    return claim.execution;
}

JobExecutionId JobOperator::submit_restart(JobExecutionId id, const RestartOptions& options) {
    const Impl::Restart restart = impl_->prepare_restart(impl_->execution(id), options);
    const auto submitted = impl_->repository.submit_restart(id, restart.request);
    if (const auto* refused = std::get_if<RestartRefused>(&submitted)) impl_->refuse_restart(id, *refused);
    const auto execution = std::get<JobExecutionId>(submitted);
    impl_->ring(execution);
    return execution;
}

namespace {

/// What engines would take, or refuse in words of their own.
void check_text(const std::string& what, const std::string& text) {
    const bool has_zero = text.find('\0') != std::string::npos;
    if (is_utf8(text) && !has_zero) return;
    throw Error(ErrorKind::invalid,
                fmt::format("{} \"{}\" {}", what, printable(text), has_zero ? "holds a zero byte" : "is no UTF-8"),
                "give text in UTF-8; iconv converts it");
}

/// `of`: "a pause". An empty one is nobody's: no signal would ever meet it.
void check_point(const std::string& of, const std::string& point) {
    check_text(fmt::format("the point of {}", of), point);
    if (point.empty()) throw Error(ErrorKind::invalid, of + " has no point", "name the point that signals are sent to");
}

void check_parameters(const Parameters& parameters) {
    for (const auto& [name, value] : parameters) {
        check_text("the name of parameter", name);
        check_text(fmt::format("parameter \"{}\": its value", printable(name)), value);
    }
}

}  // namespace

StoredDefinition JobOperator::Impl::stored(const JobDefinition& job) {
    const std::lock_guard lock(mutex);
    if (!last_stored || last_stored->first != job)
        last_stored.emplace(job, StoredDefinition{hash_of(job), job.id, to_json(job)});
    return last_stored->second;
}

LaunchRequest JobOperator::Impl::launch_request(const JobDefinition& job, const StartOptions& options) {
    check_parameters(options.parameters);
    if (options.instance_key) check_text("the key of the instance", *options.instance_key);
    if (options.instance_key && options.instance_key->empty())
        throw Error(ErrorKind::invalid, "the key of the instance is empty", "leave it out, or name the instance");
    const auto folder = options.working_directory.empty() ? std::filesystem::current_path()
                                                          : std::filesystem::absolute(options.working_directory);
    check_text("the working directory", folder.string());
    return {.definition = stored(job),
            .instance_key = options.instance_key,
            .parameters = options.parameters,
            .working_directory = folder.string(),
            .actor = settings.actor,
            .for_workers = options.for_workers};
}

JobOperator::Impl::Restart JobOperator::Impl::prepare_restart(const JobExecution& previous,
                                                              const RestartOptions& options) {
    check_restartable(previous);
    check_parameters(options.parameters);
    const JobDefinition job = options.definition ? *options.definition : definition_of(previous.instance_id);
    RunnableJob runnable = prepare<JobRestartException>(job, registry, options.parameters, settings.system_properties);
    RestartRequest request{.parameters = options.parameters,
                           .restartable = runnable.job->restartable,
                           .accept_sink = options.accept_sink,
                           .accept_input = options.accept_input,
                           .actor = settings.actor,
                           .for_workers = options.for_workers};
    if (options.definition) request.definition = stored(job);
    return {std::move(runnable), std::move(request)};
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
            ErrorKind::conflict,
            fmt::format("cannot stop {}: it is {}; only what runs or is PAUSED can be stopped", id.value(),
                        to_string(answer.status)),
            instead(id, answer.status));
    if (answer.effect == StopAnswer::Effect::stopped)
        settle_counts(impl_->repository, impl_->drivers, asked.instance_id);
    if (const auto execution = impl_->local(id)) execution->request_stop(StopReason::operator_asked, now);
    return answer;
}

StepStopAnswer JobOperator::stop_step(JobExecutionId id, const std::string& step, bool now) {
    using Effect = StepStopAnswer::Effect;
    impl_->execution(id);
    const StepStopAnswer answer =
        impl_->repository.request_step_stop(id, {.step = step, .now = now, .actor = impl_->settings.actor});
    if (answer.effect == Effect::not_running)
        throw JobExecutionNotRunningException(ErrorKind::conflict,
                                              fmt::format("cannot stop step \"{}\" of {}: the execution is {}",
                                                          printable(step), id.value(), to_string(answer.status)),
                                              answer.status == BatchStatus::paused
                                                  ? fmt::format("fermata stop {}", id.value())
                                                  : instead(id, answer.status));
    if (answer.effect == Effect::step_not_running) refuse_step_stop(impl_->repository, id, step, answer);
    if (const auto execution = impl_->local(id)) execution->look_for_requests();
    return answer;
}

PauseAnswer JobOperator::pause(JobExecutionId id, const PauseOptions& options) {
    impl_->execution(id);
    check_point("a pause", options.point);
    check_text("the message of a pause", options.message);
    const OutsidePause request{.what = {.point = options.point,
                                        .message = options.message,
                                        .timeout = options.timeout,
                                        .on_timeout = options.on_timeout},
                               .after_step = options.after_step,
                               .actor = impl_->settings.actor};
    const PauseAnswer answer = impl_->repository.request_pause(id, request);
    if (answer.effect == PauseAnswer::Effect::not_running)
        throw JobExecutionNotRunningException(
            ErrorKind::conflict,
            fmt::format("cannot pause {}: it is {}; only STARTING, STARTED can be paused", id.value(),
                        to_string(answer.status)),
            instead(id, answer.status));
    return answer;
}

ResumeAnswer JobOperator::resume(JobExecutionId id, const ResumeOptions& options) {
    if (const auto here = impl_->local(id))
        if (const auto step = here->rested_in()) return impl_->resume_here(*here, *step, options);
    const JobExecution execution = impl_->execution(id);
    RunnableJob runnable = impl_->prepare_resume(execution, options);
    const ResumeAnswer answer = impl_->repository.resume(id, impl_->resume_request(options), impl_->the_worker());
    check_resumed(impl_->repository, id, options, answer);
    if (answer.effect == ResumeAnswer::Effect::owned)
        impl_->run(std::move(runnable),
                   {.claim = {answer.execution, answer.instance, answer.instance_uuid, answer.epoch},
                    .start_at = impl_->restarted_at(execution),
                    .adopted = answer.adopted,
                    .begun = answer.begun,
                    .accept_sink = answer.accept_sink},
                   execution.parameters, answer.accept_input);
    return answer;
}

ResumeAnswer JobOperator::Impl::resume_here(RunningExecution& rested, const StepClaim& step,
                                            const ResumeOptions& options) {
    const JobExecutionId id = step.execution.execution;
    if (options.payload) check_payload(*options.payload);
    ResumedInto resumed = repository.resume_into(id, resume_request(options), the_worker(), step);
    ResumeAnswer& answer = resumed.answer;
    check_resumed(repository, id, options, answer);
    if (answer.effect != ResumeAnswer::Effect::owned) return answer;
    RunningExecution::Left left = rested.take_left();
    RunningExecution::Start start{.claim = {answer.execution, answer.instance, answer.instance_uuid, answer.epoch},
                                  .start_at = std::move(left.start_at),
                                  .adopted = answer.adopted,
                                  .begun = answer.begun,
                                  .accept_sink = answer.accept_sink};
    if (!resumed.entered) {  // somebody else has owned it meanwhile
        run(std::move(left.job), std::move(start), left.context.parameters, answer.accept_input);
        return answer;
    }
    start.resumed =
        WalkResumed{std::move(left.memory), std::move(*resumed.entered), resumed.outside_pause, resumed.requests};
    left.context.accept_input = answer.accept_input;
    left.context.exit_status = std::move(resumed.exit_status);
    run(std::move(left.job), std::move(start), std::move(left.context));
    return answer;
}

ResumeAnswer JobOperator::submit_resume(JobExecutionId id, const ResumeOptions& options) {
    (void)impl_->prepare_resume(impl_->execution(id), options);
    const ResumeAnswer answer = impl_->repository.resume(id, impl_->resume_request(options));
    check_resumed(impl_->repository, id, options, answer);
    if (answer.effect == ResumeAnswer::Effect::released) impl_->ring(id);
    return answer;
}

ResumeRequest JobOperator::Impl::resume_request(const ResumeOptions& options) const {
    return {.point = options.point, .seen = options.seen, .payload = options.payload, .actor = settings.actor};
}

RunnableJob JobOperator::Impl::prepare_resume(const JobExecution& execution, const ResumeOptions& options) {
    if (options.payload) check_payload(*options.payload);
    return prepare<JobRestartException>(definition_of(execution.instance_id), registry, execution.parameters,
                                        settings.system_properties, ErrorKind::refused);
}

SignalAnswer JobOperator::signal(JobExecutionId id, SignalRequest request) {
    impl_->execution(id);
    check_point("a signal", request.point);
    if (request.key) check_text("the key of a signal", *request.key);
    if (request.payload) check_payload(*request.payload);
    if (request.sender.empty()) request.sender = impl_->settings.actor;
    const SignalAnswer answer = impl_->repository.signal(id, request);
    const bool is_released =
        answer.disposition == SignalAnswer::Disposition::applied && answer.status == BatchStatus::starting;
    if (is_released) impl_->ring(id);
    return answer;
}

bool JobOperator::serve_duties() {
    if (!serve_deadlines()) return false;
    serve_notifications();
    return true;
}

bool JobOperator::serve_deadlines() {
    try {
        if (!impl_->repository.has_duties()) return false;
        for (const JobExecutionId id : impl_->repository.serve_deadlines(impl_->settings.actor))
            if (impl_->execution(id).status == BatchStatus::starting) impl_->ring(id);
        return true;
    } catch (const std::exception&) {
        // Who came for something else is not kept from it; whoever comes next serves what is left.
        return false;
    }
}

void JobOperator::serve_notifications() {
    send_notifications(
        impl_->repository,
        {.registry = impl_->registry, .drivers = impl_->drivers, .repository_url = impl_->settings.repository_url});
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
    RunnableJob runnable = impl_->prepare_resume(execution, {});
    if (ends_when_lost(runnable)) return fail_lost(id);
    const auto claim = impl_->repository.adopt(id, impl_->the_worker(), impl_->settings.actor);
    if (!claim) impl_->refuse_recovery(id);
    impl_->run(std::move(runnable), {.claim = *claim, .start_at = impl_->restarted_at(execution), .adopted = true},
               execution.parameters);
}

void JobOperator::submit_recovery(JobExecutionId id) {
    const JobExecution execution = impl_->execution(id);
    impl_->require_dead_owner(execution);
    if (ends_when_lost(impl_->prepare_resume(execution, {}))) return fail_lost(id);
    if (!impl_->repository.release_lost(id, impl_->settings.actor)) impl_->refuse_recovery(id);
    impl_->ring(id);
    if (execution.status == BatchStatus::pausing) serve_duties();  // the dead owner would have notified
    if (execution.status == BatchStatus::stopping)
        settle_counts(impl_->repository, impl_->drivers, execution.instance_id);
}

/// Nothing was done about it, though its owner was dead when we looked.
void JobOperator::Impl::refuse_recovery(JobExecutionId id) {
    require_dead_owner(execution(id));
    throw Error(ErrorKind::conflict, fmt::format("execution {} was taken over by somebody else just now", id.value()),
                fmt::format("fermata show {}", id.value()));
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
            fmt::format("cannot recover {}: it is {}, not running", execution.id.value(), to_string(execution.status)),
            instead(execution.id, execution.status));
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
        const RunningJob shown = execution->display();
        if (shown.ended || shown.status == BatchStatus::paused) continue;  // its notification may still be sent
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
