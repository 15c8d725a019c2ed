#include "process.hpp"

#include <fermata/repository/heartbeat.hpp>

#include <fcntl.h>

#include <algorithm>

namespace fermata::simulation {
namespace {

constexpr Micros beat_interval = 3 * second;
constexpr std::int64_t waiting_per_slot = 8;
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
    if (!(runs_.empty() && parts_.empty()) && world_.chance.happens(0.7))
        go_on_with_one();
    else
        call([&] { look_around(); });
    if (is_lost_) vanish();
}

void Process::go_on_with_one() {
    const auto one = static_cast<std::size_t>(
        world_.chance.below(static_cast<std::int64_t>(runs_.size()) + static_cast<std::int64_t>(parts_.size())));
    if (one < runs_.size())
        go_on(runs_, one);
    else
        go_on(parts_, one - runs_.size());
}

template <class Drivers>
void Process::go_on(Drivers& drivers, std::size_t one) {
    bool badly = false;
    call([&] {
        badly = true;
        drivers[one]->go_on();
        badly = false;
    });
    if (!badly && !drivers[one]->done()) return;
    if (!badly) world_.note("  {} is done with {}", name_, drivers[one]->owned().shown());
    drivers.erase(drivers.begin() + static_cast<std::ptrdiff_t>(one));
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

void Process::enter(Run::Start start) {
    const Claim& claim = start.claim;
    ledger_.granted(Owned(claim), worker_);
    world_.note("  {} owns {} under epoch {}{}", name_, claim.execution.value(), claim.epoch,
                start.adopted ? ", adopted" : "");
    runs_.push_back(std::make_unique<Run>(world_, ledger_, host_, worker_, name_, std::move(start)));
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
    parts_.clear();
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
    if (!is_trusted() && !is_idle() && world_.chance.happens(0.5)) distrust();
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
    parts_.clear();
    has_unknown_ = true;
}

void Server::look_around() {
    if (!is_enlisted_) return enlist();
    if (!errand_.done()) return errand_.go_on();
    if (served_ != world_.jobs.size() || !has_told_) return change_terms();
    if (has_unknown_ && world_.chance.happens(0.7)) return disown();
    if (draining_ && world_.chance.happens(0.7)) return drain();
    switch (world_.chance.below(7)) {
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
        case 4:
            return claim_partitions();
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
    has_told_ = true;
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
    if (world_.weather.is_server && trusted_until_ == 0) return;
    const std::int64_t most =
        draining_ || !is_trusted() ? 0 : std::min(free_slots(), waiting_per_slot * slots_ - waiting());
    std::vector<ClaimedExecution> claimed;
    as_one_who_lives([&] { claimed = store().claim_waiting(worker_, most, name_); });
    if (claimed.empty()) return;
    if (world_.loses_answer()) {
        world_.sometimes("the answer to a claim was lost");
        world_.note("  {} does not hear that it owns {} executions", name_, claimed.size());
        has_unknown_ = true;
        return;
    }
    for (const ClaimedExecution& one : claimed) enter({.claim = one.claim, .adopted = one.adopted});
}

void Server::claim_partitions() {
    if (world_.weather.is_server && trusted_until_ == 0) return;
    const std::int64_t most = draining_ || !is_trusted() ? 0 : free_slots();
    std::optional<ClaimedPartitions> claimed;
    as_one_who_lives([&] { claimed = store().claim_partitions(worker_, most); });
    if (!claimed) return;
    if (world_.loses_answer()) {
        world_.sometimes("the answer to a claim of partitions was lost");
        world_.note("  {} does not hear that it owns {} partitions", name_, claimed->partitions.size());
        has_unknown_ = true;
        return;
    }
    for (auto& part : parts_of(world_, ledger_, host_, worker_, name_, *claimed)) parts_.push_back(std::move(part));
}

/// What waits for partitions takes no slot, and there may be many of these.
std::int64_t Server::waiting() const {
    return std::ranges::count_if(runs_, [](const auto& run) { return run->only_waits(); });
}

std::int64_t Server::free_slots() const {
    return slots_ - (static_cast<std::int64_t>(runs_.size()) - waiting()) - static_cast<std::int64_t>(parts_.size());
}

Script Server::take_over() {
    const std::vector<LostExecution> found = store().lost_executions(worker_);
    co_await turn;
    if (const auto released = store().release_lost_partitions(worker_, name_); released > 0) {
        world_.note("  {} lets {} partitions go whose owners are dead", name_, released);
        world_.sometimes("partitions of a dead worker were let go");
    }
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
    if (draining_ || free_slots() < 1) return;
    const auto claim = store().adopt(lost.id, worker_, name_);
    if (claim) world_.sometimes("a run was adopted");
    if (claim) enter({.claim = *claim, .adopted = true});
}

void Server::disown() {
    disown_partitions();
    const std::vector<JobExecutionId> mine = known();
    for (const JobExecutionId id : ledger_.owned_by(worker_))
        if (std::ranges::find(mine, id) == mine.end()) ledger_.lets_go(id);
    for (const JobExecutionId id : store().disown_unknown(worker_, mine, name_)) {
        world_.note("  {} lets go of {}, which it does not run", name_, id.value());
        world_.sometimes("a worker let go of what it did not know");
    }
    has_unknown_ = false;
}

void Server::disown_partitions() {
    const std::vector<PartitionKey> mine = known_partitions();
    for (const PartitionKey& key : ledger_.partitions_owned_by(worker_))
        if (std::ranges::find(mine, key) == mine.end()) ledger_.lets_go(key);
    for (const PartitionKey& key : store().disown_unknown_partitions(worker_, mine, name_)) {
        world_.note("  {} lets go of partition {}, which it does not run", name_, key.number);
        world_.sometimes("a worker let go of a partition that it did not know");
    }
}

std::vector<PartitionKey> Server::known_partitions() const {
    std::vector<PartitionKey> keys;
    for (const auto& part : parts_) keys.push_back(part->key());
    return keys;
}

std::vector<JobExecutionId> Server::known() const {
    std::vector<JobExecutionId> ids;
    for (const auto& run : runs_) ids.push_back(run->execution());
    return ids;
}

void Server::leave() {
    if (draining_) return;
    world_.note("{} is asked to leave", name_);
    draining_ = true;
    has_told_ = false;
    if (world_.chance.happens(0.5)) hand_on();
}

void Server::hand_on() {
    for (const auto& run : runs_) run->hand_on();
    for (const auto& part : parts_) part->hand_on();
}

/// It claims nothing more, what it runs rests for others, and then it leaves.
void Server::drain() {
    hand_on();
    if (!is_idle()) return;
    ledger_.retires(worker_);
    store().retire(worker_);
    world_.note("  {} retires", name_);
    is_lost_ = true;
}

}  // namespace fermata::simulation
