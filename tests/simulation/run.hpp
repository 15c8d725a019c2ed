#pragma once
// One execution as its owner drives it: the walk of libs/runtime in miniature, one verb a turn. It keeps to what the
// runtime does: nothing new is entered after a stop or pause was seen, and what is recorded is not done again.
#include "part.hpp"

namespace fermata::simulation {

class Run final : public Driver {
public:
    struct Start {
        Claim claim;
        bool adopted = false;
        std::optional<StepEntry> entered = {};  ///< as it was resumed, by whoever had let it rest
        std::int64_t helpers = 0;               ///< so many partitions for workers are run in its own process
    };
    Run(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, Start start);

    /// One turn. Throws Error(stale) if fenced, and what else its verbs throw: then it has ended.
    void go_on();
    [[nodiscard]] bool done() const { return script_.done(); }
    [[nodiscard]] JobExecutionId execution() const { return claim_.execution; }
    /// For partitions that others may run: it holds no slot.
    [[nodiscard]] bool only_waits() const { return only_waits_; }

private:
    Script live();
    Script walk();
    Script run_step(const Step& step, std::int64_t number, SignalSource signals);
    Script run_partitions(const Step& step, Slice& whole);
    Script run_partitions_here(const Step& step, Slice& whole, const StoredPlan& plan);
    Script run_partition(const Step& step, const Slice& whole, PartitionExecution partition);
    // Partitions for workers: run_shared.cpp.
    struct Sharing;
    Script share_partitions(Slice& whole, const StoredPlan& plan);
    void claim_here(const Slice& whole, Sharing& sharing);
    void go_on_here(Sharing& sharing);
    void look(const Slice& whole, Sharing& sharing);
    void learn(const Slice& whole, Sharing& sharing, const PartitionNews& news,
               const std::vector<CollectedData>& collected);
    void give_up_sometimes(const Slice& whole, Sharing& sharing);
    [[nodiscard]] bool is_closed(const Sharing& sharing) const;
    [[nodiscard]] bool may_leave(const Sharing& sharing, bool closed) const;
    void fold(const Sharing& sharing, Slice& whole) const;
    PauseOpened rest(const Step& step, Slice& slice);
    void rested_together(const StepClaim& claim);
    void compare_memory();
    void end_step(const Step& step, std::int64_t number, Slice& slice);
    void pass(const Step& step, std::int64_t number);
    void end(BatchStatus status);
    void recall();
    void receive(const StepEntry& entry);
    [[nodiscard]] StepEntryMode mode_of(const Step& step) const;
    [[nodiscard]] bool is_running(const Step& step) const;
    [[nodiscard]] BatchStatus fold(const std::vector<PartitionExecution>& partitions) const;
    [[nodiscard]] Metrics counted_by_partitions(const StepClaim& step);

    Claim claim_;
    bool adopted_;
    const Job* job_ = nullptr;
    BatchStatus outcome_ = BatchStatus::completed;
    PauseOpened opened_;
    std::map<std::string, StepState> states_;
    std::map<std::int64_t, WalkEntry> record_;
    std::map<std::string, BatchStatus> unfinished_;
    std::int64_t outside_ = 0;
    std::optional<StepEntry> entered_;  ///< already
    bool has_news_ = false;             ///< what was recorded since is not in `record_`
    bool rests_ = false;                ///< it let go together with its step
    std::int64_t helpers_ = 0;
    bool only_waits_ = false;
    Script script_;
};

}  // namespace fermata::simulation
