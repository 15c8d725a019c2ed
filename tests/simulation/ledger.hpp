#pragma once
// What an onlooker who sees everything holds against the store: after every event, what has changed is compared with
// what may change. It knows the protocol's promises, not its statements.
#include "world.hpp"

#include <set>

namespace fermata::simulation {

/// Who owns an execution, as its row says.
struct Holding {
    std::int64_t epoch = 0;
    BatchStatus status{};
    std::string owner;  ///< its incarnation
    [[nodiscard]] bool runs() const { return is_running(status); }
};

class Ledger {
public:
    explicit Ledger(World& world) : world_(world) {}

    // --- what actors report
    [[nodiscard]] Holding holding(JobExecutionId execution);
    void granted(const Claim& claim, const Worker& worker);
    /// An owner's verb succeeded: nobody but the owner may.
    void acted(std::string_view verb, const Claim& claim, const Worker& worker, const Holding& before);
    /// It was told that it is no longer the owner: only if that is true.
    void fenced(std::string_view verb, const Claim& claim, const Worker& worker, const Holding& before);
    /// Its owner is about to leave it.
    void lets_go(JobExecutionId execution) { left_.insert(execution.value()); }
    /// A stop was accepted.
    void stop_accepted(JobExecutionId execution);
    void signal_answered(JobExecutionId execution, const SignalRequest& request, const SignalAnswer& answer);
    /// The step entered next was given these.
    void received(JobExecutionId execution, std::int64_t pause, const std::vector<Signal>& signals);

    // --- what is known of processes
    /// The kernel says that it is dead, or says so wrongly.
    void proved_dead(const Worker& worker) { provably_dead_.insert(worker.record().incarnation); }
    [[nodiscard]] bool is_known_dead(const std::string& incarnation) const {
        return provably_dead_.contains(incarnation) || declared_.contains(incarnation);
    }
    [[nodiscard]] bool is_known_dead(const Worker& worker) const { return is_known_dead(worker.record().incarnation); }
    [[nodiscard]] std::vector<JobExecutionId> owned_by(const Worker& worker);
    /// Until when it believes that nobody takes it for dead.
    void trusts_until(const Worker& worker, Micros instant) { trust_[worker.record().incarnation] = instant; }

    // --- checks; throw Violation
    void after_event();
    void all();
    /// Of executions that have not ended: their numbers and statuses.
    [[nodiscard]] std::string unfinished();

private:
    void executions();
    void progress();
    void pauses();
    void deaths();
    void chunks();
    void complete_steps();
    void waiting_signals();
    void sent_signals();

    struct SeenExecution {
        BatchStatus status{};
        std::int64_t epoch = 0;
        std::string owner;
    };
    void owner_changed(std::int64_t execution, const SeenExecution& before, const SeenExecution& now) const;
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
    std::map<std::tuple<std::int64_t, std::string, std::int64_t>, SeenProgress> progress_;
    std::map<std::pair<std::int64_t, std::int64_t>, std::string> completed_;  ///< pauses: how, by whom, when
    std::map<std::int64_t, std::int64_t> newest_grant_;
    std::map<std::tuple<std::int64_t, std::string, std::string>, Sent> sent_;
    std::set<std::string> provably_dead_;
    std::map<std::string, Micros> trust_;
    std::set<std::string> declared_;
    std::set<std::int64_t> left_;  ///< in this event
};

}  // namespace fermata::simulation
