#include "process.hpp"

#include <fermata/repository/heartbeat.hpp>

#include <fcntl.h>

#include <algorithm>

namespace fermata::simulation {
namespace {

constexpr Micros beat_interval = 3 * second;
constexpr Heartbeat::Terms terms{.ttl = std::chrono::seconds(15),
                                 .margin = std::chrono::seconds(3),
                                 .interval = std::chrono::hours(1)};  // its threads never beat: we do

}  // namespace

Process::Process(World& world, Ledger& ledger, Host& host, std::string name)
    : world_(world),
      ledger_(ledger),
      host_(host),
      name_(fmt::format("{}@{}", name, host.name)),
      worker_((world.on(host), world.store.data_folder()), name) {}

void Process::act() {
    if (gone_ || world_.micros() < asleep_until_) return;
    look_at_clock();
    if (gone_) return;
    // A database that is out of reach keeps whoever asks it waiting.
    if (world_.is_cut_off(host_)) return;
    if (!runs_.empty() && world_.chance.happens(0.7))
        go_on(static_cast<std::size_t>(world_.chance.below(static_cast<std::int64_t>(runs_.size()))));
    else
        call([&] { look_around(); });
    if (is_lost_) vanish();
}

void Process::go_on(std::size_t run) {
    bool badly = false;
    call([&] {
        badly = true;
        runs_[run]->go_on();
        badly = false;
    });
    if (!badly && !runs_[run]->done()) return;
    if (!badly) world_.note("  {} is done with {}", name_, runs_[run]->execution().value());
    runs_.erase(runs_.begin() + static_cast<std::ptrdiff_t>(run));
    run_ended(badly);
}

/// Verbs may tell that one is no longer the owner or that the database does not answer, and nothing else.
void Process::call(const std::function<void()>& verb) {
    try {
        verb();
    } catch (const sql::SqlError& error) {
        if (!error.is_transient()) throw Violation(fmt::format("{}: {}", name_, error.what()));
        world_.note("  {}: {}", name_, error.what());
        run_ended(true);
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::stale) throw Violation(fmt::format("{}: {}", name_, error.what()));
        world_.note("  {} is fenced", name_);
    }
}

void Process::enter(const Claim& claim, bool adopted, std::optional<StepEntry> entered) {
    ledger_.granted(claim, worker_);
    world_.note("  {} owns {} under epoch {}{}", name_, claim.execution.value(), claim.epoch,
                adopted ? ", adopted" : "");
    runs_.push_back(
        std::make_unique<Run>(world_, ledger_, host_, worker_, name_, Run::Start{claim, adopted, std::move(entered)}));
}

void Process::sleep(Micros micros) {
    asleep_until_ = world_.micros() + micros;
    world_.note("{} falls asleep for {} s", name_, micros / second);
}

void Process::lose_lock() {
    struct flock lock{};
    lock.l_type = F_UNLCK;
    lock.l_whence = SEEK_SET;
    lock.l_len = 1;
    if (::fcntl(worker_.owner_fd(), F_OFD_SETLK, &lock) != 0) throw std::runtime_error("cannot unlock an owner file");
    ledger_.proved_dead(worker_);
}

void Process::vanish() {
    gone_ = true;
    runs_.clear();
    lose_lock();
    // Its pid runs no more: it is ours, so the rows have to say another one.
    world_.store.watcher().execute("UPDATE worker SET pid = 0, start_ticks = 0 WHERE incarnation = $1",
                                   {Value(std::string_view(worker_.record().incarnation))});
    world_.note("{} is gone", name_);
}

// --- a worker

Server::Server(World& world, Ledger& ledger, Host& host, std::string name)
    : Process(world, ledger, host, std::move(name)), slots_(world.chance.between(1, 3)) {}

void Server::look_at_clock() {
    if (!world_.weather.is_server || !is_enlisted_) return;
    // It may be late to notice: what runs goes on for a moment.
    if (!is_trusted() && !runs_.empty() && world_.chance.happens(0.5)) distrust();
    if (world_.micros() >= next_beat_ && world_.chance.happens(0.8)) call([&] { beat(); });
    if (is_lost_) vanish();
}

/// One beat as the real one does it, at a time of ours.
void Server::beat() {
    const Micros before = world_.micros();
    next_beat_ = before + beat_interval / 3;
    try {
        const Heartbeat heartbeat(store(), worker_, [] {}, terms);
        is_lost_ = heartbeat.is_dead();
    } catch (const sql::SqlError&) {
        world_.sometimes("a heartbeat failed");
        world_.note("  {} cannot renew its lease", name_);
        return;
    }
    next_beat_ = before + beat_interval;
    world_.note("  {} {}", name_, is_lost_ ? "was taken for dead" : "renews its lease");
    if (is_lost_) return world_.sometimes("a heartbeat told a worker that it was taken for dead");
    trusted_until_ = before + std::chrono::microseconds(terms.ttl - terms.margin).count();
    ledger_.trusts_until(worker_, trusted_until_);
}

void Server::distrust() {
    world_.note("  {} distrusts its lease and drops what it runs", name_);
    world_.sometimes("a worker fenced itself");
    runs_.clear();
    has_unknown_ = true;
}

void Server::look_around() {
    if (!is_enlisted_) return enlist();
    if (!errand_.done()) return errand_.go_on();
    if (served_ != world_.jobs.size()) return change_terms();
    if (has_unknown_ && world_.chance.happens(0.7)) return disown();
    if (draining_ && world_.chance.happens(0.5)) return drain();
    switch (world_.chance.below(8)) {
        case 0:
            errand_ = take_over();
            return;
        case 1:
            world_.note("  {} serves {} deadlines", name_, store().serve_deadlines(name_).size());
            return;
        case 2:
            if (const auto forgotten = store().forget_dead_workers(); forgotten > 0)
                world_.note("  {} forgets {} dead workers", name_, forgotten);
            return;
        case 3:
            return drain();
        default:
            return claim();
    }
}

WorkerTerms Server::its_terms() const {
    WorkerTerms served{.slots = slots_, .draining = draining_, .jobs = {}};
    for (const auto& [name, job] : world_.jobs) served.jobs.push_back({name, job.definition().hash});
    return served;
}

void Server::enlist() {
    const WorkerTerms served = its_terms();
    store().enlist(worker_, served);
    is_enlisted_ = true;
    served_ = served.jobs.size();
    world_.note("  {} serves {} jobs with {} slots", name_, served_, slots_);
}

void Server::change_terms() {
    as_one_who_lives([&] { store().change_terms(worker_, its_terms()); });
    served_ = world_.jobs.size();
    world_.note("  {} serves {} jobs", name_, served_);
}

/// Who is told that he was taken for dead was: somebody has had proof, right or wrong.
template <class Verb>
void Server::as_one_who_lives(Verb&& verb) {
    try {
        verb();
    } catch (const Error& error) {
        is_lost_ = error.kind() == ErrorKind::stale;
        if (is_lost_ && !ledger_.is_known_dead(worker_))
            throw Violation(fmt::format("{} was told that it was taken for dead, and was not", name_));
        throw;
    }
}

void Server::claim() {
    const std::int64_t most = draining_ || !is_trusted() ? 0 : slots_ - static_cast<std::int64_t>(runs_.size());
    if (world_.weather.is_server && trusted_until_ == 0) return;
    std::vector<ClaimedExecution> claimed;
    as_one_who_lives([&] { claimed = store().claim_waiting(worker_, most, name_); });
    if (claimed.empty()) return;
    if (world_.loses_answer()) {
        world_.sometimes("the answer to a claim was lost");
        world_.note("  {} does not hear that it owns {} executions", name_, claimed.size());
        has_unknown_ = true;
        return;
    }
    for (const ClaimedExecution& one : claimed) enter(one.claim, one.adopted);
}

Script Server::take_over() {
    const std::vector<LostExecution> found = store().lost_executions(worker_);
    for (const LostExecution& lost : found) {
        co_await turn;
        take_over(lost);
    }
}

void Server::take_over(const LostExecution& lost) {
    world_.note("  {} takes over {}, which is {}", name_, lost.id.value(), to_string(lost.status));
    world_.sometimes(fmt::format("what a dead owner left was {}", to_string(lost.status)));
    const bool goes_on = lost.status != BatchStatus::stopping && lost.status != BatchStatus::pausing;
    if (!goes_on || lost.was_served) {
        if (store().release_lost(lost.id, name_)) world_.note("    let go");
        return;
    }
    if (draining_ || static_cast<std::int64_t>(runs_.size()) >= slots_) return;
    const auto claim = store().adopt(lost.id, worker_, name_);
    if (claim) world_.sometimes("a run was adopted");
    if (claim) enter(*claim, true);
}

void Server::disown() {
    const std::vector<JobExecutionId> mine = known();
    for (const JobExecutionId id : ledger_.owned_by(worker_))
        if (std::ranges::find(mine, id) == mine.end()) ledger_.lets_go(id);
    for (const JobExecutionId id : store().disown_unknown(worker_, mine, name_)) {
        world_.note("  {} lets go of {}, which it does not run", name_, id.value());
        world_.sometimes("a worker let go of what it did not know");
    }
    has_unknown_ = false;
}

std::vector<JobExecutionId> Server::known() const {
    std::vector<JobExecutionId> ids;
    for (const auto& run : runs_) ids.push_back(run->execution());
    return ids;
}

/// Rarely: it claims nothing more, its runs rest for others, and then it leaves.
void Server::drain() {
    if (!draining_ && !(world_.is_rough() && world_.chance.happens(0.4))) return;
    if (!draining_) {
        draining_ = true;
        return change_terms();
    }
    for (const auto& run : runs_) run->hand_on();
    if (!runs_.empty()) return;
    store().retire(worker_);
    world_.note("  {} retires", name_);
    is_lost_ = true;
}

}  // namespace fermata::simulation
