#include "shared_partitions.hpp"

#include <algorithm>

namespace fermata {
namespace {

constexpr std::chrono::seconds look_interval(1);
constexpr std::int64_t most_rung_for = 64;  ///< whoever hears claims as many partitions as it has slots
constexpr std::chrono::milliseconds dead_interval(500);

std::size_t width_of(const JobScope& job, const StoredPlan& plan) {
    if (job.claimer == nullptr) return 0;
    const std::size_t threads = plan.threads > 0 ? static_cast<std::size_t>(plan.threads) : plan.partitions.size();
    return std::min(threads, job.helpers + 1);
}

}  // namespace

SharedPartitions::SharedPartitions(const PartitionSurroundings& around, const StoredPlan& plan, bool adopted,
                                   Listener listener)
    : around_(around),
      listener_(std::move(listener)),
      adopted_(adopted),
      is_batchlet_(std::holds_alternative<RunnableBatchlet>(around.step.work)),
      width_(width_of(around.job, plan)) {
    for (const PartitionExecution& partition : plan.partitions) open_.emplace(partition.number, 0);
}

SharedPartitions::Left SharedPartitions::run() {
    const Occupancy::Wait waiting(around_.job.occupancy);
    if (adopted_) around_.job.repository.offer_partitions(around_.claim, true);
    if (around_.job.doorbell != nullptr)
        around_.job.doorbell->ring(around_.claim.execution.execution,
                                   std::min(static_cast<std::int64_t>(open_.size()), most_rung_for));
    for (;;) {
        const std::uint64_t heard = around_.job.chime.rings();
        join_done();
        around_.job.require_ours();
        const bool closed = is_closed();  // before the look: what was claimed earlier is seen
        if (!closed) claim_here();
        look();
        if (may_leave(closed)) return left_;
        if (around_.job.claimer != nullptr) look_after_the_dead();
        around_.job.chime.wait(heard, look_interval);
    }
}

/// Nothing is to begin any more. Others see a stop and a pause in the rows of the execution and of the step.
bool SharedPartitions::is_closed() {
    if (listener_.gives_up() && !withdrawn_) {
        withdrawn_ = true;
        around_.job.repository.offer_partitions(around_.claim, false);
    }
    return withdrawn_ || around_.stop.requested() || around_.job.pause.requested();
}

/// A step that has failed ends with whoever owns it now, and that ends its partitions: it waits for those that run. It
/// may have failed in this very look.
bool SharedPartitions::may_leave(bool closed) const {
    if (open_.empty()) return true;
    if (!helpers_.empty()) return false;
    const bool goes_on = !listener_.gives_up() && !around_.job.pause.asked() && !around_.stop.requested();
    const bool hands_on = around_.job.pause.hands_on() && goes_on;
    return hands_on || (closed && running_ == 0);
}

// --- what this process runs itself

void SharedPartitions::claim_here() {
    if (helpers_.size() >= width_) return;
    auto found = around_.job.repository.claim_partitions_of(around_.claim, *around_.job.claimer,
                                                            static_cast<std::int64_t>(width_ - helpers_.size()));
    if (!found) return;
    const auto claimed = std::make_shared<const ClaimedPartitions>(std::move(*found));
    for (const ClaimedPartition& one : claimed->partitions) await_last_turn(one.partition.number);
    const std::lock_guard lock(mutex_);
    for (std::size_t i = 0; i < claimed->partitions.size(); ++i) {
        here_[claimed->partitions[i].partition.number].runs = true;
        Helper& helper = helpers_.emplace_back();
        helper.number = claimed->partitions[i].partition.number;
        helper.thread = std::jthread([this, claimed, i, &helper] { run_here(claimed, i, helper); });
    }
}

/// What has just given it up here is about to end.
void SharedPartitions::await_last_turn(std::int64_t number) {
    for (Helper& helper : helpers_)
        if (helper.number == number && helper.thread.joinable()) helper.thread.join();
}

void SharedPartitions::run_here(const std::shared_ptr<const ClaimedPartitions>& claimed, std::size_t index,
                                Helper& helper) {
    const ClaimedPartition& one = claimed->partitions[index];
    Metrics shown = shown_of(one.partition.number).shown;
    std::exception_ptr trouble;
    try {
        shown = run_claimed_partition(around_, one, *around_.job.claimer, shown);
    } catch (...) {
        trouble = std::current_exception();
    }
    {
        const std::lock_guard lock(mutex_);
        here_[one.partition.number] = {.runs = false, .shown = shown};
        if (!trouble_) trouble_ = trouble;
        helper.done = true;
    }
    around_.job.chime.ring();
}

void SharedPartitions::join_done() {
    std::list<Helper> done;  // joined outside of the lock
    const std::lock_guard lock(mutex_);
    for (auto at = helpers_.begin(); at != helpers_.end();) {
        const auto each = at++;
        if (each->done) done.splice(done.end(), helpers_, each);
    }
    if (trouble_) std::rethrow_exception(trouble_);
}

/// A worker's process has somebody else for this.
void SharedPartitions::look_after_the_dead() {
    const auto now = std::chrono::steady_clock::now();
    if (now - looked_for_dead_ < dead_interval) return;
    looked_for_dead_ = now;
    if (around_.job.repository.release_lost_partitions(*around_.job.claimer, around_.job.actor) > 0)
        around_.job.chime.ring();
}

// --- what has become of them

void SharedPartitions::look() {
    if (open_.empty()) return;
    running_ = 0;
    left_ = {};
    auto news = around_.job.repository.partition_news(around_.claim.id, open_.begin()->first);
    std::erase_if(news, [this](const PartitionNews& each) { return !open_.contains(each.partition.number); });
    for (const PartitionNews& each : news) {
        if (each.partition.ended) continue;
        left_.metrics = sum(left_.metrics, each.partition.metrics);
        if (each.partition.status == BatchStatus::started) ++running_;
    }
    tell(news);
    left_.some = !open_.empty();
}

void SharedPartitions::tell(const std::vector<PartitionNews>& news) {
    std::map<std::int64_t, std::vector<CollectedData>> collected;
    if (around_.step.partition.analyzer != nullptr && around_.step.partition.collector != nullptr) {
        std::map<std::int64_t, std::int64_t> told;
        for (const PartitionNews& each : news) told.emplace(each.partition.number, open_[each.partition.number]);
        for (CollectedData& data : around_.job.repository.collected_after(around_.claim.id, told))
            collected[data.partition].push_back(std::move(data));
    }
    for (const PartitionNews& each : news) {
        const PartitionExecution& partition = each.partition;
        // What was stored for a chunk that is not committed is none; a batchlet's is stored with its end.
        const std::int64_t newest = each.sequence + (is_batchlet_ && partition.ended ? 1 : 0);
        for (const CollectedData& data : collected[partition.number]) {
            if (data.sequence > newest) break;
            open_[partition.number] = data.sequence;
            listener_.collected(data.data);
        }
        if (!partition.ended) continue;
        show(partition);
        open_.erase(partition.number);
        listener_.ended(partition);
    }
}

SharedPartitions::Here SharedPartitions::shown_of(std::int64_t number) {
    const std::lock_guard lock(mutex_);
    const auto found = here_.find(number);
    return found == here_.end() ? Here{} : found->second;
}

/// What was done here has been shown as it was committed.
void SharedPartitions::show(const PartitionExecution& ended) {
    const Here here = shown_of(ended.number);
    if (here.runs) return;
    const auto display = around_.job.display.lock();
    for (RunningStep& step : display->steps)
        if (step.id == around_.claim.id) step.metrics = sum(difference(step.metrics, here.shown), ended.metrics);
}

}  // namespace fermata
