#pragma once
// What an onlooker who sees everything holds against the store: after every event, what has changed is compared with
// what may change. It knows the protocol's promises, not its statements.
#include "owned.hpp"
#include "world.hpp"

#include <set>

namespace fermata::simulation {

/// What the owner of a partition does when it opens a pause: then somebody has to own the execution.
inline constexpr std::string_view opens_pause = "opens a pause";

class Ledger {
public:
    explicit Ledger(World& world) : world_(world) {}

    // --- what actors report
    [[nodiscard]] Holding holding(JobExecutionId execution);
    [[nodiscard]] Holding holding(const Owned& owned);
    void granted(const Owned& owned, const Worker& worker);
    /// An owner's verb succeeded: nobody but the owner may.
    void acted(std::string_view verb, const Owned& owned, const Worker& worker, const Holding& before);
    /// It was told that it is no longer the owner: only if that is true.
    void fenced(std::string_view verb, const Owned& owned, const Worker& worker, const Holding& before);
    /// Its owner is about to leave it.
    void lets_go(JobExecutionId execution) { left_.insert(execution.value()); }
    void lets_go(const PartitionKey& partition) { left_partitions_.insert(partition); }
    /// A stop was accepted.
    void stop_accepted(JobExecutionId execution);
    void signal_answered(JobExecutionId execution, const SignalRequest& request, const SignalAnswer& answer);
    /// The step entered next was given these.
    void received(JobExecutionId execution, std::int64_t pause, const std::vector<Signal>& signals);
    /// Of a partition that has ended, the owner of its execution has heard all this.
    void heard(StepExecutionId step, std::int64_t number, const std::vector<std::string>& collected);

    // --- what is known of processes
    /// The kernel says that it is dead, or says so wrongly.
    void proved_dead(const Worker& worker) { provably_dead_.insert(worker.record().incarnation); }
    [[nodiscard]] bool is_known_dead(const std::string& incarnation) const {
        return provably_dead_.contains(incarnation) || declared_.contains(incarnation);
    }
    [[nodiscard]] bool is_known_dead(const Worker& worker) const { return is_known_dead(worker.record().incarnation); }
    [[nodiscard]] std::vector<JobExecutionId> owned_by(const Worker& worker);
    [[nodiscard]] std::vector<PartitionKey> partitions_owned_by(const Worker& worker);
    /// Whether another worker has partitions of the step.
    [[nodiscard]] bool runs_elsewhere(StepExecutionId step, const Worker& than);
    /// Its row goes with it.
    void retires(const Worker& worker) { retired_.insert(worker.record().incarnation); }
    /// Until when it believes that nobody takes it for dead.
    void trusts_until(const Worker& worker, Micros instant) { trust_[worker.record().incarnation] = instant; }

    // --- checks; throw Violation
    void after_event();
    void all();
    /// Of executions that have not ended: their numbers and statuses.
    [[nodiscard]] std::string unfinished();

private:
    [[nodiscard]] Holding partition_holding(const Owned& partition);
    void may_be_claimed(const Owned& partition);
    void executions();
    void partitions();
    void progress();
    void pauses();
    void deaths();
    void declared(const std::string& incarnation);
    void chunks();
    void complete_steps();
    void partition_counts();
    void waiting_signals();
    void sent_signals();

    struct SeenExecution {
        BatchStatus status{};
        std::int64_t epoch = 0;
        std::string owner;
    };
    void owner_changed(std::int64_t execution, const SeenExecution& before, const SeenExecution& now) const;
    struct SeenPartition {
        std::int64_t epoch = 0;
        std::string owner;
        BatchStatus execution{};
        std::int64_t execution_epoch = 0;
    };
    void partition_changed(const PartitionKey& partition, const SeenPartition& before, const SeenPartition& now) const;
    struct SeenProgress {
        BatchStatus status{};
        std::int64_t epoch = 0;
        std::int64_t generation = 0;
        std::int64_t sequence = 0;
    };
    struct Sent {
        SignalAnswer::Disposition first{};
        std::int64_t pause = 0;
    };
    World& world_;
    std::int64_t version_ = 0;  ///< of the database, at the last look
    std::map<std::int64_t, SeenExecution> executions_;
    std::map<PartitionKey, SeenPartition> partitions_;
    std::map<std::tuple<std::int64_t, std::string, std::int64_t>, SeenProgress> progress_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::string> completed_;  ///< pauses: how, by whom, when
    std::map<std::string, std::int64_t> newest_grant_;                        ///< epoch, by what was granted
    std::map<std::tuple<std::int64_t, std::string, std::string>, Sent> sent_;
    std::set<std::string> provably_dead_;
    std::map<std::string, Micros> trust_;
    std::set<std::string> declared_;
    std::set<std::string> retired_;
    std::set<std::string> there_;  ///< rows of workers, at the last look
    std::set<std::int64_t> left_;  ///< in this event
    std::set<PartitionKey> left_partitions_;
};

}  // namespace fermata::simulation
