#include "worker_partitions.hpp"

#include <fermata/runtime/exceptions.hpp>

#include <fmt/format.h>

#include <system_error>

namespace fermata {
namespace {

constexpr std::size_t jobs_kept = 16;

}  // namespace

std::string why_it_cannot_begin(const std::exception& error) {
    const auto* failed = dynamic_cast<const std::system_error*>(&error);
    if (failed == nullptr || failed->code() != std::errc::resource_unavailable_try_again) return error.what();
    return fmt::format("no more threads can be made here: {}; look at ulimit -u, TasksMax= and pids.max", error.what());
}

bool is_over_soon(const std::exception& error) {
    const auto* known = dynamic_cast<const Error*>(&error);
    return known != nullptr && known->is_transient();
}

WorkerPartitions::WorkerPartitions(const RunningExecution::Surroundings& surroundings, const Worker& worker,
                                   Prepare prepare, std::function<void()> ended)
    : surroundings_(surroundings), worker_(worker), prepare_(std::move(prepare)), ended_(std::move(ended)) {}

WorkerPartitions::~WorkerPartitions() {
    hand_on();
    running_.clear();
}

bool WorkerPartitions::claim(std::int64_t most, const std::function<bool()>& may_write) {
    bool all_begin = true;
    while (most > 0 && all_begin) {
        std::optional<ClaimedPartitions> claimed;
        try {
            claimed = surroundings_.repository.claim_partitions(worker_, most);
        } catch (...) {
            has_unknown_ = true;
            throw;
        }
        if (!claimed) break;
        most -= static_cast<std::int64_t>(claimed->partitions.size());
        all_begin = begin(*claimed, may_write);
    }
    return all_begin;
}

/// What cannot begin must not keep others from it.
bool WorkerPartitions::begin(const ClaimedPartitions& claimed, const std::function<bool()>& may_write) {
    std::shared_ptr<const SharedJob> job;
    std::string wrong;
    try {
        job = job_of(claimed.step.execution.execution, claimed.accept_input);
    } catch (const JobRestartException& error) {
        wrong = error.what();
    } catch (const std::exception& error) {
        has_unknown_ = true;
        troubles_.emplace_back(error.what());
        return is_over_soon(error);
    }
    bool all_begin = true;
    for (const ClaimedPartition& one : claimed.partitions) {
        if (!job) {
            fail(one, wrong);
            continue;
        }
        std::unique_ptr<RunningPartition> begun;
        try {
            begun = std::make_unique<RunningPartition>(
                surroundings_, job, RunningPartition::Start{worker_, claimed.step, claimed.accept_sink, one, ended_});
        } catch (const std::exception& error) {
            all_begin = false;
            put_back(one, why_it_cannot_begin(error));
            continue;
        }
        run(std::move(begun), may_write);
    }
    return all_begin;
}

void WorkerPartitions::run(std::unique_ptr<RunningPartition> begun, const std::function<bool()>& may_write) {
    std::unique_ptr<RunningPartition> before;  // it has given up its turn here just now, and is about to end
    {
        const std::lock_guard lock(mutex_);
        if (!may_write()) begun->fence();
        before = std::exchange(running_[begun->key()], std::move(begun));
    }
    if (before) note_end(*before);
}

/// For whoever claims it next: nothing was done, and nobody has died of it.
void WorkerPartitions::put_back(const ClaimedPartition& one, const std::string& why) {
    troubles_.push_back(fmt::format("partition {} cannot go on here: {}", one.partition.number, why));
    try {
        surroundings_.repository.rest_partition(one.entry.claim, {.progress = one.entry.state.progress, .pause = {}});
    } catch (const std::exception& error) {
        has_unknown_ = true;
        troubles_.emplace_back(error.what());
    }
}

std::shared_ptr<const SharedJob> WorkerPartitions::job_of(JobExecutionId id, bool accept_input) {
    if (const auto known = jobs_.find(id); known != jobs_.end()) return known->second;
    if (jobs_.size() >= jobs_kept) std::erase_if(jobs_, [](const auto& each) { return each.second.use_count() == 1; });
    auto made = std::make_shared<const SharedJob>(prepare_(id, accept_input));
    jobs_.emplace(id, made);
    return made;
}

void WorkerPartitions::fail(const ClaimedPartition& one, const std::string& why) {
    PartitionEnd end{.status = BatchStatus::failed,
                     .exit_status = "FAILED",
                     .progress = one.entry.state.progress,
                     .failure = Failure{"fermata.Error", why, one.entry.claim.step, {}},
                     .collected = {}};
    try {
        surroundings_.repository.end_partition(one.entry.claim, end);
    } catch (const std::exception& error) {
        has_unknown_ = true;  // or it is somebody else's by now
        troubles_.emplace_back(error.what());
    }
    surroundings_.chime.ring();
}

std::vector<std::string> WorkerPartitions::look_after_ends() {
    for (auto at = running_.begin(); at != running_.end();) {
        if (!at->second->has_ended()) {
            ++at;
            continue;
        }
        std::unique_ptr<RunningPartition> ended;
        {
            const std::lock_guard lock(mutex_);
            ended = std::move(at->second);
            at = running_.erase(at);
        }
        note_end(*ended);
    }
    return std::exchange(troubles_, {});
}

/// Not under the lock: its thread may be about to end only.
void WorkerPartitions::note_end(RunningPartition& ended) {
    ended.join();
    if (!ended.trouble()) return;
    has_unknown_ = true;  // its end could not be recorded, or somebody else owns it
    try {
        std::rethrow_exception(ended.trouble());
    } catch (const std::exception& error) {
        troubles_.push_back(fmt::format("partition {}: {}", ended.key().number, error.what()));
    }
}

void WorkerPartitions::disown_unknown() {
    std::vector<PartitionKey> known;
    for (const auto& [key, partition] : running_) known.push_back(key);
    surroundings_.repository.disown_unknown_partitions(worker_, known, surroundings_.actor);
    has_unknown_ = false;
}

void WorkerPartitions::hand_on() {
    for (const auto& [key, partition] : running_) partition->hand_on();
}

void WorkerPartitions::fence() {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, partition] : running_) partition->fence();
}

}  // namespace fermata
