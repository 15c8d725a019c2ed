#include "operator.hpp"

#include <array>

namespace fermata::simulation {
namespace {

using Disposition = SignalAnswer::Disposition;

LaunchRequest request_for(const Job& job, std::optional<std::string> key) {
    return {.definition = job.definition(),
            .instance_key = std::move(key),
            .parameters = {{"file", "vendors.csv"}},
            .working_directory = "/data",
            .actor = "ann",
            .for_workers = job.for_workers};
}

}  // namespace

void Operator::act() {
    host_ = &any_host();
    if (world_.is_cut_off(*host_)) return;
    try {
        if (jobs_ == 0 || (jobs_ < 4 && world_.chance.happens(0.15))) return submit();
        if (const auto execution = any_execution()) ask(*execution);
    } catch (const sql::SqlError& error) {
        if (!error.is_transient()) throw Violation(error.what());
        world_.note("  somebody on {}: {}", host_->name, error.what());
    } catch (const Error& error) {
        throw Violation(fmt::format("a request was answered: {}", error.what()));
    }
}

void Operator::ask(JobExecutionId execution) {
    switch (world_.chance.below(14)) {
        case 0:
            return stop(execution);
        case 1:
            return stop_step(execution);
        case 2:
            return abandon(execution);
        case 3:
        case 4:
            return pause(execution);
        case 5:
        case 6:
            return resume(execution);
        case 7:
        case 8:
            return restart(execution);
        case 9:
            return recover(execution);
        default:
            return signal(execution);
    }
}

// --- new work

void Operator::submit() {
    const std::string name = fmt::format("j{}", ++jobs_);
    const Job& job = world_.jobs.emplace(name, any_job(world_.chance, name, world_.weather.shared)).first->second;
    std::string steps;
    for (const Step& step : job.steps)
        steps += fmt::format(" {}:{}x{}{}{}{}", step.name, step.partitions.value_or(0), step.chunks,
                             step.shared ? " shared" : "", step.pause_within ? " pauses" : "",
                             step.pause_after ? " pauses after" : "");
    world_.note("job {}:{}{}", name, steps, job.for_workers ? ", for workers" : "");
    const bool has_key = world_.chance.happens(0.5);
    launch(job, has_key ? std::optional<std::string>("key") : std::nullopt);
}

void Operator::launch(const Job& job, std::optional<std::string> key) {
    if (world_.chance.happens(0.3))
        return run_in_foreground(
            [this, &job, key](Repository& repository, Worker& worker) -> std::optional<Run::Start> {
                const auto answer = repository.launch(request_for(job, key), worker);
                const auto* claim = std::get_if<Claim>(&answer);
                world_.note("  launch: {}", claim != nullptr ? claim->execution.value() : 0);
                if (claim == nullptr) return std::nullopt;
                return Run::Start{*claim, false};
            });
    const auto answer = store().submit(request_for(job, key));
    const auto* id = std::get_if<JobExecutionId>(&answer);
    world_.note("  submitted {}: {}", job.name, id != nullptr ? id->value() : 0);
    if (!key || !world_.loses_answer()) return;
    const auto again = store().submit(request_for(job, key));
    const auto* exists = std::get_if<InstanceExists>(&again);
    if (exists == nullptr || (id != nullptr && exists->latest != *id))
        throw Violation(fmt::format("submitting job {} with the same key again made another instance", job.name));
    world_.sometimes("a job was submitted twice with one key");
}

void Operator::run_in_foreground(Foreground::Begin begin) {
    Host& host = any_host();
    processes_.push_back(
        std::make_unique<Foreground>(world_, ledger_, host, fmt::format("run{}", ++runs_), std::move(begin)));
    world_.note("{} begins", processes_.back()->name());
}

// --- requests

void Operator::stop(JobExecutionId execution) {
    if (!world_.chance.happens(0.5)) return;
    const StopAnswer answer = store().request_stop(execution, {.now = world_.chance.happens(0.3), .actor = "ann"});
    world_.note("  stop {}: {} {}", execution.value(), static_cast<int>(answer.effect), to_string(answer.status));
    if (answer.effect != StopAnswer::Effect::not_running) ledger_.stop_accepted(execution);
    if (answer.owner_lost) world_.sometimes("a stop ended what a dead owner left");
    if (answer.effect == StopAnswer::Effect::requested) world_.sometimes("a running execution was asked to stop");
}

void Operator::stop_step(JobExecutionId execution) {
    const Job& job = world_.jobs.at(store().find_execution(execution).value().job_name);
    std::string step = world_.chance.one_of(job.steps).name;
    const auto entered = store().steps_of(execution);
    if (!entered.empty() && world_.chance.happens(0.7)) step = entered.back().name;
    const StepStopAnswer answer = store().request_step_stop(execution, {.step = step, .actor = "ann"});
    world_.note("  stop {} of {}: {}", step, execution.value(), static_cast<int>(answer.effect));
}

void Operator::pause(JobExecutionId execution) {
    const OutsidePause request{.what = {.point = "operator", .signals = world_.chance.between(1, 2)},
                               .after_step = world_.chance.happens(0.3),
                               .actor = "ann"};
    const PauseAnswer answer = store().request_pause(execution, request);
    world_.note("  pause {}: {} {}", execution.value(), static_cast<int>(answer.effect), answer.epoch);
}

void Operator::signal(JobExecutionId execution) {
    const Job& job = world_.jobs.at(store().find_execution(execution).value().job_name);
    std::vector<std::string> points{"operator"};
    for (const Step& step : job.steps) {
        if (step.pause_within) points.push_back(step.pause_within->point);
        if (step.pause_after) points.push_back(step.pause_after->point);
    }
    SignalRequest request{
        .point = world_.chance.one_of(points), .key = fmt::format("k{}", world_.chance.below(6)), .sender = "bob"};
    request.payload = "1";
    if (world_.chance.happens(0.1)) request.payload = "2";
    if (world_.chance.happens(0.2)) request.pause = world_.chance.between(1, 3);
    for (bool again = true; again;) {
        const SignalAnswer answer = store().signal(execution, request);
        ledger_.signal_answered(execution, request, answer);
        world_.note("  signal {} to \"{}\" of {}: {} {}/{} of pause {}", *request.key, request.point, execution.value(),
                    to_string(answer.disposition), answer.counted, answer.needed, answer.pause);
        world_.sometimes(fmt::format("a signal was {}", to_string(answer.disposition)));
        again = world_.loses_answer();
        if (again) world_.sometimes("a signal was sent again since its answer was lost");
    }
}

void Operator::resume(JobExecutionId execution) {
    ResumeRequest request{.payload = "1", .actor = fmt::format("op{}", world_.chance.below(3))};
    if (world_.chance.happens(0.2)) request.point = "operator";
    if (world_.chance.happens(0.2)) request.seen = world_.chance.between(0, 3);
    const auto tell = [this, execution](const ResumeAnswer& answer) {
        world_.note("  resume {}: {} {} (epoch {})", execution.value(), static_cast<int>(answer.effect),
                    to_string(answer.status), answer.epoch);
        using Effect = ResumeAnswer::Effect;
        if (answer.effect == Effect::owned) world_.sometimes("what waited was resumed in the foreground");
        if (answer.effect == Effect::released) world_.sometimes("what waited was resumed for a worker");
        if (answer.effect == Effect::withdrawn) world_.sometimes("a pause was withdrawn");
        if (answer.effect == Effect::conflict) world_.sometimes("a resume was refused");
    };
    if (world_.chance.happens(0.5)) return tell(store().resume(execution, request));
    run_in_foreground([this, execution, request, tell](Repository& repository,
                                                       Worker& worker) -> std::optional<Run::Start> {
        const auto memory = world_.memories.find(execution);
        const ResumedInto resumed = memory == world_.memories.end()
                                        ? ResumedInto{.answer = repository.resume(execution, request, worker)}
                                        : repository.resume_into(execution, request, worker, memory->second.rested);
        const ResumeAnswer& answer = resumed.answer;
        tell(answer);
        if (answer.effect != ResumeAnswer::Effect::owned) return std::nullopt;
        const World::Silence silence(world_);
        if (ledger_.holding(execution).epoch != answer.epoch)
            throw Violation(fmt::format("execution {} was resumed under epoch {}, as was said, but has another",
                                        execution.value(), answer.epoch));
        return Run::Start{
            {answer.execution, answer.instance, answer.instance_uuid, answer.epoch}, answer.adopted, resumed.entered};
    });
}

void Operator::abandon(JobExecutionId execution) {
    if (!world_.chance.happens(0.3)) return;
    const BatchStatus before = store().abandon(execution, "ann");
    world_.note("  abandon {}: was {}", execution.value(), to_string(before));
    if (!is_running(before) && ledger_.holding(execution).status != BatchStatus::abandoned)
        throw Violation(fmt::format("execution {} was abandoned and is not", execution.value()));
}

void Operator::restart(JobExecutionId execution) {
    const RestartRequest request{.parameters = {{"file", "b.csv"}}, .actor = "ann"};
    if (world_.chance.happens(0.3))
        return run_in_foreground(
            [this, execution, request](Repository& repository, Worker& worker) -> std::optional<Run::Start> {
                const auto answer = repository.restart(execution, request, worker);
                const auto* claim = std::get_if<Claim>(&answer);
                world_.note("  restart {}: {}", execution.value(), claim != nullptr ? claim->execution.value() : 0);
                if (claim == nullptr) return std::nullopt;
                return Run::Start{*claim, false};
            });
    const auto answer = store().submit_restart(execution, request);
    const auto* id = std::get_if<JobExecutionId>(&answer);
    world_.note("  restart {}: {}", execution.value(), id != nullptr ? id->value() : 0);
    if (id != nullptr) world_.sometimes("an execution was restarted");
}

void Operator::recover(JobExecutionId execution) {
    if (world_.chance.happens(0.3)) {
        const bool failed = store().fail_lost(execution, "ann");
        world_.note("  recover --fail {}: {}", execution.value(), failed);
        return;
    }
    run_in_foreground([this, execution](Repository& repository, Worker& worker) -> std::optional<Run::Start> {
        const auto claim = repository.adopt(execution, worker, "ann");
        world_.note("  recover {}: {}", execution.value(), claim ? claim->epoch : 0);
        if (!claim) return std::nullopt;
        world_.sometimes("an execution was recovered by hand");
        return Run::Start{*claim, true};
    });
}

// --- the end

void Operator::wake_all() {
    host_ = world_.hosts.front().get();
    for (const JobExecutionId id : with_status("status = 'PAUSED'")) {
        const ResumeAnswer answer = store().resume(id, {.payload = "1", .actor = "ann"});
        world_.note("  resume {}: {}", id.value(), static_cast<int>(answer.effect));
    }
}

std::optional<JobExecutionId> Operator::any_execution() {
    std::vector<JobExecutionId> all = with_status("1 = 1");
    if (all.empty()) return std::nullopt;
    return world_.chance.one_of(all);
}

std::vector<JobExecutionId> Operator::with_status(std::string_view condition) {
    const sql::Result rows =
        world_.store.watcher().execute(fmt::format("SELECT id FROM job_execution WHERE {} ORDER BY id", condition));
    std::vector<JobExecutionId> ids;
    for (std::size_t i = 0; i < rows.size(); ++i) ids.emplace_back(rows[i][0].integer());
    return ids;
}

}  // namespace fermata::simulation
