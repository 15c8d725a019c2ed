#include <fermata/runtime/worker_service.hpp>

#include "job_operator_impl.hpp"
#include "listening.hpp"
#include "prepare.hpp"
#include "settle_counts.hpp"
#include "worker_partitions.hpp"

#include <fermata/base/text.hpp>
#include <fermata/repository/bell.hpp>
#include <fermata/repository/heartbeat.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>
#include <utility>

namespace fermata {
namespace {

using Instant = std::chrono::steady_clock::time_point;

/// How long what waits may wait where there is no bell, and where it got lost.
constexpr std::chrono::milliseconds look_interval(100);
constexpr std::chrono::milliseconds look_interval_with_bell(1'000);
constexpr std::chrono::seconds duty_interval(1);
constexpr std::chrono::seconds folder_interval(1);
constexpr std::chrono::milliseconds take_over_interval(500);
constexpr std::chrono::seconds housekeeping_interval(10);
/// How long nothing is claimed after something could not begin: this process lacks threads or memory.
constexpr std::chrono::seconds shortage_interval(5);
/// Executions that only wait for partitions hold no slot; but they are threads.
constexpr std::int64_t waiting_per_slot = 8;

/// True at most once an interval.
class Now {
public:
    explicit Now(std::chrono::milliseconds interval) : interval_(interval) {}
    bool is_time() {
        const Instant now = std::chrono::steady_clock::now();
        if (last_ && now - *last_ < interval_) return false;
        last_ = now;
        return true;
    }

private:
    std::chrono::milliseconds interval_;
    std::optional<Instant> last_;
};

/// Of definitions whose artifacts are all there: nobody claims what he cannot run.
std::string first_error(const JobDefinition& job, const Registry& registry, const Parameters& system) {
    const Diagnostics found = validate(job, registry, std::nullopt, system);
    for (const Diagnostic& each : found.all())
        if (each.severity == Diagnostic::Severity::error) return to_string(each);
    return {};
}

/// Serves what time demands, on a thread of its own: a notification is a command that takes its time.
class Duties {
public:
    explicit Duties(JobOperator& jobs) : jobs_(jobs), thread_([this](std::stop_token done) { run(done); }) {}

private:
    void run(std::stop_token done) {
        std::unique_lock lock(mutex_);
        while (!done.stop_requested()) {
            jobs_.serve_duties();
            over_.wait_for(lock, done, duty_interval, [] { return false; });
        }
    }
    JobOperator& jobs_;
    std::mutex mutex_;
    std::condition_variable_any over_;
    std::jthread thread_;
};

}  // namespace

struct WorkerService::Impl {
    Impl(JobOperator& the_jobs, Settings the_settings)
        : jobs(the_jobs),
          parts(*the_jobs.impl_),
          settings(std::move(the_settings)),
          worker(parts.repository.data_folder(), settings.name),
          bell(parts.repository, Bell::About::work),
          partitions(
              parts.surroundings_of_service(worker), worker,
              [this](JobExecutionId id, bool accept_input) { return shared_job(id, accept_input); },
              [this] { bell.wake(); }) {
        terms.slots = settings.slots;
    }

    // --- one round
    void serve();
    void listen();
    void fence();
    void require_alive() const;
    bool look_after_ends();
    void look_after_terms();
    void keep_house();
    void take_over();
    void look_for_work();
    void claim();
    void claim(const Offer& offer);
    void hear(std::optional<Offer> offer);
    void look_again();
    void look_after_ear();
    void hand_on_when_due();
    void wait();

    void look_at_jobs();
    void serve_only(const std::vector<JobDefinition>& definitions);
    void take_over(const LostExecution& lost);
    void adopt(const LostExecution& lost);
    void enter(const ClaimedExecution& claimed, OnDisk& claim);
    void begin(const ClaimedExecution& claimed, OnDisk& claim);
    void fail(const ClaimedExecution& claimed, const std::string& why);
    void tell(News::Kind kind, JobExecutionId id, const std::string& text = {});
    /// Once, as long as it is the same.
    void tell_trouble(std::string& told, const std::string& text);
    /// On the heartbeat's thread: the others wait for the repository just now.
    void tell_missing(const std::string& why) const;
    [[nodiscard]] std::vector<JobExecutionId> known() const;
    [[nodiscard]] SharedJob shared_job(JobExecutionId id, bool accept_input);
    [[nodiscard]] bool may_write() const { return !heartbeat || heartbeat->is_trusted(); }
    [[nodiscard]] bool is_idle() const { return running.empty() && partitions.count() == 0; }
    [[nodiscard]] std::int64_t waiting() const;
    [[nodiscard]] std::int64_t free_slots() const;
    [[nodiscard]] std::int64_t executions_to_claim() const;

    JobOperator& jobs;
    JobOperator::Impl& parts;
    Settings settings;
    Worker worker;
    Bell bell;
    std::atomic<bool> draining{false};
    std::optional<Instant> hand_on_at;
    bool something_may_wait = true;  ///< since the last look that found less than there was room for
    Instant looked{};                ///< for work
    std::optional<Offer> offered;    ///< nothing else has rung since
    bool puts_off = false;           ///< what nobody waits for
    WorkerTerms terms;
    bool terms_changed = false;  ///< since they were written
    bool has_unknown = false;    ///< a claim or an end may have gone wrong: our rows may say more than we know
    Now folder{folder_interval};
    Now looking_for_dead{take_over_interval};
    Now housekeeping{housekeeping_interval};
    Instant claims_again_at{};
    std::string trouble;
    std::string folder_trouble;
    std::mutex mutex;                                                     ///< of `running`, which fence() looks at
    std::map<JobExecutionId, std::shared_ptr<RunningExecution>> running;  // their threads use the bell
    WorkerPartitions partitions;                                          // so do theirs
    std::string deafness;
    std::optional<Listening> listening;  // its thread uses the bell
    std::optional<Heartbeat> heartbeat;  // last: its threads fence what runs
};

WorkerService::WorkerService(JobOperator& jobs, Settings settings)
    : impl_(std::make_unique<Impl>(jobs, std::move(settings))) {}

WorkerService::~WorkerService() {
    for (const auto& [id, execution] : impl_->running) execution->hand_on();
    impl_->running.clear();
}

void WorkerService::drain() noexcept {
    impl_->draining = true;
    impl_->bell.wake();
}

void WorkerService::run() {
    impl_->look_at_jobs();
    if (Doorbell* doorbell = impl_->parts.settings.doorbell)
        impl_->listening.emplace(*doorbell, [this] { impl_->bell.wake(); });
    impl_->parts.repository.enlist(impl_->worker, impl_->terms);
    impl_->terms_changed = false;
    if (Heartbeat::is_needed(impl_->parts.repository))
        impl_->heartbeat.emplace(
            impl_->parts.repository, impl_->worker, [this] { impl_->fence(); }, Heartbeat::Terms{},
            [this](const std::string& why) { impl_->tell_missing(why); });
    const Duties duties(impl_->jobs);
    while (!impl_->draining || !impl_->is_idle()) {
        try {
            impl_->serve();
            impl_->trouble.clear();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::stale) throw;
            impl_->has_unknown = true;
            impl_->tell_trouble(impl_->trouble, error.what());
        }
        impl_->wait();
    }
    impl_->listening.reset();
    impl_->heartbeat.reset();
    impl_->parts.repository.retire(impl_->worker);
}

void WorkerService::Impl::serve() {
    listen();
    require_alive();
    const bool has_ended = look_after_ends();
    if (!draining && may_write()) look_for_work();  // whoever has rung waits for it
    look_after_terms();
    puts_off = has_ended && !puts_off;  // once: whoever waited for an end often submits the next
    if (!puts_off) keep_house();
    if (!puts_off) take_over();
    look_after_ear();
    if (draining) hand_on_when_due();
}

/// Before looking: what rang earlier is seen.
void WorkerService::Impl::listen() {
    if (!bell.listens()) something_may_wait = true;
    bell.listen();
}

// --- whether it may

/// On the heartbeat's thread. What runs writes nothing more and ends its children: somebody else may own it soon.
void WorkerService::Impl::fence() {
    {
        const std::lock_guard lock(mutex);
        for (const auto& [id, execution] : running) execution->request_stop(StopReason::fenced, true);
    }
    partitions.fence();
    bell.wake();
}

void WorkerService::Impl::require_alive() const {
    if (!heartbeat || !heartbeat->is_dead()) return;
    throw Error(ErrorKind::stale, "this worker was taken for dead: it could not renew its lease in time",
                "start it again: a new process is a new worker");
}

// --- what it serves

void WorkerService::Impl::look_after_terms() {
    if (folder.is_time()) {
        try {
            look_at_jobs();
            folder_trouble.clear();
        } catch (const Error& error) {
            // A folder that is out of reach for a moment does not change what is served.
            tell_trouble(folder_trouble, error.what());
        }
    }
    if (draining && !terms.draining) terms.draining = terms_changed = true;
    if (!terms_changed) return;
    parts.repository.change_terms(worker, terms);
    terms_changed = false;
    look_again();  // something may wait for them
}

void WorkerService::Impl::look_at_jobs() {
    if (const auto definitions = settings.jobs()) serve_only(*definitions);
}

void WorkerService::Impl::serve_only(const std::vector<JobDefinition>& definitions) {
    std::vector<ServedJob> served;
    for (const JobDefinition& job : definitions) {
        const std::string error = first_error(job, parts.registry, parts.settings.system_properties);
        std::string told;
        if (error.empty())
            served.push_back({job.id, hash_of(job)});
        else
            tell_trouble(told, fmt::format("job \"{}\" is not served: {}", printable(job.id), error));
    }
    std::ranges::sort(served);
    served.erase(std::ranges::unique(served).begin(), served.end());
    terms.jobs = std::move(served);
    terms_changed = true;
}

// --- housekeeping

void WorkerService::Impl::keep_house() {
    const bool is_time = housekeeping.is_time();
    if (is_time) parts.repository.forget_dead_workers();
    if (is_time || has_unknown || partitions.has_unknown()) partitions.disown_unknown();
    if (!is_time && !has_unknown) return;
    for (const JobExecutionId id : parts.repository.disown_unknown(worker, known(), parts.settings.actor))
        tell(News::Kind::handed, id);
    has_unknown = false;
}

std::vector<JobExecutionId> WorkerService::Impl::known() const {
    std::vector<JobExecutionId> ids;
    for (const auto& [id, execution] : running) ids.push_back(id);
    return ids;
}

// --- what others have lost

void WorkerService::Impl::take_over() {
    if (!looking_for_dead.is_time()) return;
    const auto all = parts.repository.lost_executions(worker);  // first: it declares dead whose lease has run out
    if (parts.repository.release_lost_partitions(worker, parts.settings.actor) > 0) look_again();
    for (const LostExecution& lost : all) {
        try {
            take_over(lost);
        } catch (const JobRestartException& error) {
            tell_trouble(trouble, error.what());  // with these parameters not here; elsewhere, maybe
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::conflict) throw;  // somebody else was first
        }
    }
}

void WorkerService::Impl::take_over(const LostExecution& lost) {
    const JobExecution execution = parts.execution(lost.id);
    const bool goes_on = lost.status != BatchStatus::stopping && lost.status != BatchStatus::pausing;
    if (goes_on && ends_when_lost(parts.prepare_resume(execution, {})))
        jobs.fail_lost(lost.id);
    else if (goes_on && !lost.was_served)
        return adopt(lost);
    else if (!parts.repository.release_lost(lost.id, parts.settings.actor))
        return;
    parts.ring(lost.id);
    look_again();
    tell(News::Kind::orphaned, lost.id);
    if (lost.status == BatchStatus::stopping) settle_counts(parts.repository, parts.drivers, execution.instance_id);
}

/// Of the process of a run: it goes on where and as whom it began.
void WorkerService::Impl::adopt(const LostExecution& lost) {
    if (draining || free_slots() < 1 || lost.owner.user != worker.record().user) return;
    const auto claim = parts.repository.adopt(lost.id, worker, parts.settings.actor);
    OnDisk durable;
    if (claim) enter({.claim = *claim, .execution = parts.execution(lost.id), .adopted = true}, durable);
}

// --- executions and partitions

std::int64_t WorkerService::Impl::waiting() const {
    return std::ranges::count_if(running, [](const auto& each) { return each.second->only_waits(); });
}

std::int64_t WorkerService::Impl::free_slots() const {
    return settings.slots - (static_cast<std::int64_t>(running.size()) - waiting()) - partitions.count();
}

std::int64_t WorkerService::Impl::executions_to_claim() const {
    return std::min(free_slots(), waiting_per_slot * settings.slots - waiting());
}

/// Whether an execution has ended.
bool WorkerService::Impl::look_after_ends() {
    const std::int64_t before = partitions.count();
    const std::size_t ran = running.size();
    for (const std::string& wrong : partitions.look_after_ends()) {
        std::string told;
        tell_trouble(told, wrong);
    }
    if (partitions.count() < before) something_may_wait = true;  // the end of one may let another one begin
    for (auto at = running.begin(); at != running.end();) {
        if (!at->second->has_ended()) {
            ++at;
            continue;
        }
        const JobExecutionId id = at->first;
        const std::shared_ptr<RunningExecution> ended = at->second;  // joined outside of the lock
        const std::exception_ptr wrong = ended->trouble();
        {
            const std::lock_guard lock(mutex);
            at = running.erase(at);
        }
        if (draining) parts.ring(id);  // it may have been handed on
        try {
            if (wrong) std::rethrow_exception(wrong);
            tell(News::Kind::ended, id);
        } catch (const std::exception& error) {
            has_unknown = true;  // its end could not be recorded, or somebody else owns it
            tell(News::Kind::trouble, id, error.what());
        }
    }
    return running.size() < ran;
}

/// Not at every end of what runs: as long as nothing has rung since a look that took all there was, nothing waits. What
/// rang in vain is found a moment later.
void WorkerService::Impl::look_for_work() {
    const Instant now = std::chrono::steady_clock::now();
    if (now < claims_again_at) return;
    const bool was_rung_for = listening && listening->has_heard();
    const std::optional<Offer> offer = std::exchange(offered, std::nullopt);
    if (offer && !something_may_wait) claim(*offer);
    if (!something_may_wait && !was_rung_for && now - looked < look_interval_with_bell) return;
    claim();
    looked = now;
    if (was_rung_for) listening->answered();
}

void WorkerService::Impl::claim() {
    const std::int64_t room = executions_to_claim();
    auto [all, on_disk] = parts.repository.claim_early(worker, room, parts.settings.actor);
    for (const ClaimedExecution& claimed : all) enter(claimed, on_disk);
    if (!partitions.claim(free_slots(), [this] { return may_write(); }))
        claims_again_at = std::chrono::steady_clock::now() + shortage_interval;
    something_may_wait = std::ssize(all) >= room || free_slots() < 1;
}

/// Nothing else waits, and there may be many others: what is not for us is left to them.
void WorkerService::Impl::claim(const Offer& offer) {
    const auto is_it = [&](const ServedJob& job) { return job.definition_hash == offer.definition_hash; };
    if (std::ranges::none_of(terms.jobs, is_it)) return;
    something_may_wait = true;
    if (executions_to_claim() < 1) return;
    auto [all, on_disk] = parts.repository.claim_offered(worker, offer, parts.settings.actor);
    for (const ClaimedExecution& claimed : all) enter(claimed, on_disk);
    something_may_wait = free_slots() < 1;
}

void WorkerService::Impl::hear(std::optional<Offer> offer) {
    if (!offer || offered) something_may_wait = true;
    offered = std::move(offer);
}

void WorkerService::Impl::look_again() {
    something_may_wait = true;
    bell.wake();
}

/// Others hear in place of one that claims nothing more.
void WorkerService::Impl::look_after_ear() {
    if (draining) listening.reset();
    const std::string now = listening ? listening->trouble() : std::string();
    if (now.empty())
        deafness.clear();
    else if (deafness.empty())  // the words change while the trouble is the same
        tell_trouble(deafness, now + "; work is looked for meanwhile, and found later");
}

/// For partitions, whoever owns the execution.
SharedJob WorkerService::Impl::shared_job(JobExecutionId id, bool accept_input) {
    const JobExecution execution = parts.execution(id);
    RunnableJob job = parts.prepare_resume(execution, {});
    const Claim none{.execution = id,
                     .instance = execution.instance_id,
                     .instance_uuid = parts.repository.find_instance(execution.instance_id)->uuid};
    JobContext context = parts.context_of(*job.job, none, execution.parameters);
    context.accept_input = accept_input;
    return {std::move(job), std::move(context)};
}

/// What cannot begin must not keep those claimed with it.
void WorkerService::Impl::enter(const ClaimedExecution& claimed, OnDisk& claim) {
    const JobExecutionId id = claimed.claim.execution;
    try {
        if (settings.tell) settings.tell({.kind = News::Kind::claimed, .execution = claimed.execution, .text = {}});
        begin(claimed, claim);
    } catch (const JobRestartException& error) {
        claim.wait();
        fail(claimed, error.what());
    } catch (const std::exception& error) {
        has_unknown = true;
        if (!is_over_soon(error)) claims_again_at = std::chrono::steady_clock::now() + shortage_interval;
        tell(News::Kind::trouble, id, why_it_cannot_begin(error));
    }
}

/// What it takes is read while the claim goes to disk; nothing is done before.
void WorkerService::Impl::begin(const ClaimedExecution& claimed, OnDisk& claim) {
    const JobExecution& execution = claimed.execution;
    RunnableJob job = parts.prepare_resume(execution, {});
    JobContext context = parts.context_of(*job.job, claimed.claim, execution.parameters);
    claim.wait();
    context.accept_input = claimed.accept_input;
    RunningExecution::Start start{.claim = claimed.claim,
                                  .start_at = parts.restarted_at(execution),
                                  .adopted = claimed.adopted,
                                  .begun = claimed.begun,
                                  .accept_sink = claimed.accept_sink,
                                  .ended = [this] { bell.wake(); }};
    auto begun = std::make_shared<RunningExecution>(parts.surroundings_of_service(worker), std::move(job),
                                                    std::move(start), std::move(context));
    const std::lock_guard lock(mutex);
    if (!may_write()) begun->request_stop(StopReason::fenced, true);
    running[execution.id] = std::move(begun);
}

void WorkerService::Impl::fail(const ClaimedExecution& claimed, const std::string& why) {
    JobEnd end{.status = BatchStatus::failed, .exit_status = "FAILED", .failure = {}, .restart_from = {}};
    end.failure = Failure{"fermata.Error", why, {}, {}};
    parts.repository.end_execution(claimed.claim, end);
    tell(News::Kind::ended, claimed.claim.execution);
}

void WorkerService::Impl::hand_on_when_due() {
    const Instant now = std::chrono::steady_clock::now();
    if (!hand_on_at) hand_on_at = now + settings.grace;
    if (now < *hand_on_at) return;
    for (const auto& [id, execution] : running) execution->hand_on();
    partitions.hand_on();
}

void WorkerService::Impl::wait() {
    constexpr std::chrono::milliseconds moment(50);
    auto interval = bell.listens() ? look_interval_with_bell : look_interval;
    if (puts_off) interval = std::min(interval, moment);
    if (draining && hand_on_at) {
        const auto left = std::chrono::ceil<std::chrono::milliseconds>(*hand_on_at - std::chrono::steady_clock::now());
        if (left.count() > 0) interval = std::min(interval, left);
    }
    if (draining && is_idle()) return;
    if (bell.wait(interval)) hear(bell.offer());
}

// --- news

void WorkerService::Impl::tell(News::Kind kind, JobExecutionId id, const std::string& text) {
    if (!settings.tell) return;
    News news{.kind = kind, .execution = parts.repository.find_execution(id), .text = text};
    const bool is_handed = kind == News::Kind::ended && news.execution && !has_ended(news.execution->status) &&
                           news.execution->status != BatchStatus::paused;
    if (is_handed) news.kind = News::Kind::handed;
    settings.tell(news);
}

void WorkerService::Impl::tell_missing(const std::string& why) const {
    if (settings.tell)
        settings.tell(
            {.kind = News::Kind::trouble, .execution = {}, .text = why + "; what runs waits for the repository"});
}

void WorkerService::Impl::tell_trouble(std::string& told, const std::string& text) {
    if (text == told || !settings.tell) return;
    told = text;
    settings.tell({.kind = News::Kind::trouble, .execution = {}, .text = text});
}

}  // namespace fermata
