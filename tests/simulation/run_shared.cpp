// The partitions of a step that any worker may claim, as the owner of its execution sees them: SharedPartitions of
// libs/runtime in miniature.
#include "run.hpp"

namespace fermata::simulation {
namespace {

Metrics sum(const Metrics& one, const Metrics& other) {
    Metrics both = one;
    both.read += other.read;
    both.written += other.written;
    both.commits += other.commits;
    return both;
}

}  // namespace

struct Run::Sharing {
    std::map<std::int64_t, std::vector<std::string>> open;  ///< whose end was not told yet: what their collectors said
    std::map<std::int64_t, std::int64_t> told;              ///< the newest chunk of each that was told
    std::int64_t running = 0;                               ///< as of the last look
    Metrics ended;
    Metrics left;
    bool failed = false;
    bool stopped = false;
    bool cut = false;
    bool withdrawn = false;
    std::vector<std::unique_ptr<Part>> here;
};

Script Run::share_partitions(Slice& whole, const StoredPlan& plan) {
    Sharing sharing;
    for (const PartitionExecution& partition : plan.partitions) sharing.open[partition.number];
    only_waits_ = helpers_ == 0;
    if (adopted_ && ledger_.runs_elsewhere(whole.claim.id, worker_))
        world_.sometimes("an execution was adopted while its partitions ran elsewhere");
    if (adopted_) own("offers", [&] { store().offer_partitions(whole.claim, true); });
    for (;;) {
        co_await turn;
        if (world_.chance.happens(0.3)) heed(own("polls", [&] { return store().poll(claim_); }));
        const bool closed = is_closed(sharing);
        co_await turn;
        if (!closed) claim_here(whole, sharing);
        go_on_here(sharing);
        look(whole, sharing);
        if (may_leave(sharing, closed)) break;
        give_up_sometimes(whole, sharing);
    }
    only_waits_ = false;
    fold(sharing, whole);
}

/// Nothing is to begin any more. Others see a stop and a pause in the rows.
bool Run::is_closed(const Sharing& sharing) const {
    return sharing.withdrawn || asked_.stop || asked_.cut || asked_.pause || asked_.hands_on;
}

bool Run::may_leave(const Sharing& sharing, bool closed) const {
    if (sharing.open.empty()) return true;
    if (!sharing.here.empty()) return false;
    const bool goes_on = !sharing.withdrawn && !asked_.pause && !asked_.stop && !asked_.cut;
    const bool hands_on = asked_.hands_on && goes_on;
    return hands_on || (closed && sharing.running == 0);
}

// --- what this process runs itself, where it serves nobody else

void Run::claim_here(const Slice& whole, Sharing& sharing) {
    const std::int64_t most = helpers_ - static_cast<std::int64_t>(sharing.here.size());
    if (most < 1) return;
    if (const auto claimed = store().claim_partitions_of(whole.claim, worker_, most))
        for (auto& part : parts_of(world_, ledger_, host_, worker_, actor_, *claimed))
            sharing.here.push_back(std::move(part));
    if (!world_.chance.happens(0.2)) return;
    if (const auto released = store().release_lost_partitions(worker_, actor_); released > 0)
        world_.note("  {} lets {} partitions go whose owners are dead", actor_, released);
}

void Run::go_on_here(Sharing& sharing) {
    if (sharing.here.empty()) return;
    Part& one = *world_.chance.one_of(sharing.here);
    if (asked_.hands_on) one.hand_on();
    one.go_on();
    std::erase_if(sharing.here, [](const auto& part) { return part->done(); });
}

// --- what has become of them

void Run::look(const Slice& whole, Sharing& sharing) {
    if (sharing.open.empty()) return;
    sharing.running = 0;
    sharing.left = {};
    std::vector<PartitionNews> all = store().partition_news(whole.claim.id, sharing.open.begin()->first);
    std::erase_if(all, [&](const PartitionNews& news) { return !sharing.open.contains(news.partition.number); });
    std::map<std::int64_t, std::int64_t> told;
    for (const PartitionNews& news : all) told[news.partition.number] = sharing.told[news.partition.number];
    const auto collected = store().collected_after(whole.claim.id, told);
    for (const PartitionNews& news : all) learn(whole, sharing, news, collected);
}

void Run::learn(const Slice& whole, Sharing& sharing, const PartitionNews& news,
                const std::vector<CollectedData>& collected) {
    const PartitionExecution& partition = news.partition;
    for (const CollectedData& data : collected) {
        if (data.partition != partition.number || data.sequence > news.sequence) continue;
        sharing.told[partition.number] = data.sequence;
        sharing.open[partition.number].push_back(data.data);
    }
    if (!partition.ended) {
        if (partition.status == BatchStatus::started) ++sharing.running;
        sharing.left = sum(sharing.left, partition.metrics);
        return;
    }
    ledger_.heard(whole.claim.id, partition.number, sharing.open[partition.number]);
    sharing.open.erase(partition.number);
    sharing.ended = sum(sharing.ended, partition.metrics);
    sharing.failed = sharing.failed || partition.status == BatchStatus::failed;
    sharing.stopped = sharing.stopped || partition.status == BatchStatus::stopped;
    sharing.cut = sharing.cut || partition.cut;
}

/// What hears of them fails: no further one is to begin.
void Run::give_up_sometimes(const Slice& whole, Sharing& sharing) {
    if (sharing.withdrawn || !world_.is_rough() || !world_.chance.happens(world_.weather.give_up)) return;
    own("withdraws its offers", [&] { store().offer_partitions(whole.claim, false); });
    sharing.withdrawn = sharing.failed = true;
    world_.sometimes("the owner of a step withdrew its partitions");
}

/// A partition that rests has not ended, so neither has the step, whatever became of the others.
void Run::fold(const Sharing& sharing, Slice& whole) const {
    whole.progress.metrics = sum(sharing.ended, sharing.left);
    const bool some = !sharing.open.empty();
    const bool cut = asked_.cut && !asked_.stop;
    const bool rests = some && !sharing.withdrawn && !cut && !asked_.stop;
    whole.cut = sharing.cut || (some && cut);
    if (rests)
        whole.end = BatchStatus::paused;
    else if (sharing.failed)
        whole.end = BatchStatus::failed;
    else if (sharing.stopped || (some && !cut))
        whole.end = BatchStatus::stopped;
    else
        whole.end = BatchStatus::completed;
}

}  // namespace fermata::simulation
