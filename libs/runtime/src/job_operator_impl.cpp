#include "job_operator_impl.hpp"

#include <fermata/base/process.hpp>
#include <fermata/runtime/doorbell.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

std::string default_actor() { return fmt::format("{}@{} pid {}", user_name(), host_name(), this_process().pid); }

}  // namespace

JobOperator::Impl::Impl(Repository& the_repository, const Registry& the_registry, const sql::Drivers& the_drivers,
                        Settings the_settings)
    : repository(the_repository), registry(the_registry), drivers(the_drivers), settings(std::move(the_settings)) {
    if (settings.actor.empty()) settings.actor = default_actor();
}

Worker& JobOperator::Impl::the_worker() {
    const std::lock_guard lock(mutex);
    if (!worker) worker = std::make_unique<Worker>(repository.data_folder());
    return *worker;
}

RequestWatcher& JobOperator::Impl::the_watcher() {
    const std::lock_guard lock(mutex);
    if (!watcher) watcher = std::make_unique<RequestWatcher>(repository, chime);
    return *watcher;
}

void JobOperator::Impl::run(RunnableJob job, RunningExecution::Start start, const Parameters& parameters,
                            bool accept_input) {
    JobContext context = context_of(*job.job, start.claim, parameters);
    context.accept_input = accept_input;
    run(std::move(job), std::move(start), std::move(context));
}

void JobOperator::Impl::run(RunnableJob job, RunningExecution::Start start, JobContext context) {
    const JobExecutionId id = start.claim.execution;
    const RunningExecution::Surroundings surroundings = surroundings_of(the_worker());
    std::shared_ptr<RunningExecution> former;  // of this id; joined outside of the lock
    // Until it can be found here: its first step may ask for its stop.
    const std::lock_guard lock(mutex);
    auto execution =
        std::make_shared<RunningExecution>(surroundings, std::move(job), std::move(start), std::move(context));
    former = std::exchange(executions[id], std::move(execution));
}

RunningExecution::Surroundings JobOperator::Impl::surroundings_of(const Worker& owner) {
    return {repository, registry, drivers,        the_watcher(), owner.owner_fd(), threads,
            crew,       chime,    settings.actor, &owner,        settings.helpers, settings.doorbell};
}

RunningExecution::Surroundings JobOperator::Impl::surroundings_of_service(const Worker& owner) {
    RunningExecution::Surroundings surroundings = surroundings_of(owner);
    surroundings.claimer = nullptr;
    return surroundings;
}

JobContext JobOperator::Impl::context_of(const ResolvedJob& job, const Claim& claim, const Parameters& parameters) {
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
    if (claim.epoch == 1) return context;  // nobody owned it before
    if (const auto row = repository.find_execution(claim.execution); row && row->exit_status)
        context.exit_status = row->exit_status;
    return context;
}

JobExecution JobOperator::Impl::execution(JobExecutionId id) {
    auto found = repository.find_execution(id);
    if (!found)
        throw NoSuchJobExecutionException(ErrorKind::not_found, fmt::format("there is no execution {}", id.value()),
                                          "fermata list");
    return std::move(*found);
}

JobDefinition JobOperator::Impl::definition_of(JobInstanceId instance) {
    const auto row = repository.definition_of(instance);
    if (!row) throw Error(ErrorKind::refused, fmt::format("instance {} has no stored definition", instance.value()));
    const std::lock_guard lock(mutex);
    if (!last_definition || last_definition->first != row->hash)
        last_definition.emplace(row->hash, job_definition_from_json(row->canonical));
    return last_definition->second;
}

std::optional<std::string> JobOperator::Impl::restarted_at(const JobExecution& execution) {
    return execution.restart_of ? this->execution(*execution.restart_of).restart_from : std::nullopt;
}

std::shared_ptr<RunningExecution> JobOperator::Impl::local(JobExecutionId id) {
    const std::lock_guard lock(mutex);
    const auto found = executions.find(id);
    return found == executions.end() ? nullptr : found->second;
}

void JobOperator::Impl::ring(JobExecutionId id, std::int64_t workers) noexcept {
    if (settings.doorbell != nullptr) settings.doorbell->ring(id, workers);
}

}  // namespace fermata
