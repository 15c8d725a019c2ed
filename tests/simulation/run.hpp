#pragma once
// One execution as its owner drives it: the walk of libs/runtime in miniature, one verb a turn. It keeps to what the
// runtime does: nothing new is entered after a stop or pause was seen, and what is recorded is not done again.
#include "ledger.hpp"
#include "script.hpp"

namespace fermata::simulation {

class Run {
public:
    struct Start {
        Claim claim;
        bool adopted = false;
        std::optional<StepEntry> entered = {};  ///< as it was resumed, by whoever had let it rest
    };
    Run(World& world, Ledger& ledger, Host& host, const Worker& worker, std::string actor, Start start);

    /// One turn. Throws Error(stale) if fenced, and what else its verbs throw: then it has ended.
    void go_on();
    [[nodiscard]] bool done() const { return script_.done(); }
    [[nodiscard]] JobExecutionId execution() const { return claim_.execution; }
    /// It comes to rest, for another worker.
    void hand_on() { hands_on_ = true; }

private:
    /// What a step, or a partition of it, has come to.
    struct Slice {
        StepClaim claim;
        Progress progress;
        BatchStatus end = BatchStatus::started;  ///< PAUSED: it is to rest
    };
    Script live();
    Script walk();
    Script run_step(const Step& step, std::int64_t number, SignalSource signals);
    Script run_slice(const Step& step, Slice& slice);
    Script run_partitions(const Step& step, Slice& whole);
    Script run_partition(const Step& step, const Slice& whole, PartitionExecution partition);
    bool commit_chunk(const Step& step, Slice& slice);
    PauseOpened rest(const Step& step, Slice& slice);
    void rested_together(const StepClaim& claim);
    void compare_memory();
    void end_step(const Step& step, std::int64_t number, Slice& slice);
    void pass(const Step& step, std::int64_t number);
    void end(BatchStatus status);
    void recall();
    void heed(const Requests& requests);
    void receive(const StepEntry& entry);
    [[nodiscard]] StepEntryMode mode_of(const Step& step) const;
    [[nodiscard]] bool is_running(const Step& step) const;
    [[nodiscard]] bool pauses() const { return (pause_ || hands_on_) && !stop_; }
    [[nodiscard]] BatchStatus fold(const std::vector<PartitionExecution>& partitions) const;
    [[nodiscard]] Metrics counted_by_partitions(const StepClaim& step);
    Repository& store() { return world_.on(host_); }
    /// An owner's verb; what it answers and what it does is held against the ledger.
    template <class Verb>
    auto own(std::string_view name, Verb&& verb);

    World& world_;
    Ledger& ledger_;
    Host& host_;
    const Worker& worker_;
    std::string actor_;
    Claim claim_;
    bool adopted_;
    const Job* job_ = nullptr;
    bool stop_ = false;
    bool pause_ = false;
    bool pause_now_ = false;
    bool hands_on_ = false;
    bool cut_ = false;  ///< the step that runs was asked to stop alone
    std::int64_t cuts_ = 0;
    BatchStatus outcome_ = BatchStatus::completed;
    PauseOpened opened_;
    std::map<std::string, StepState> states_;
    std::map<std::int64_t, WalkEntry> record_;
    std::map<std::string, BatchStatus> unfinished_;
    std::int64_t outside_ = 0;
    std::optional<StepEntry> entered_;  ///< already
    bool has_news_ = false;             ///< what was recorded since is not in `record_`
    bool rests_ = false;                ///< it let go together with its step
    Script script_;
};

}  // namespace fermata::simulation
