#pragma once
// What every kind of step runs in: its contexts, listeners, log, stop signal and a place to show progress.
#include "chime.hpp"
#include "crew.hpp"
#include "listener_chain.hpp"
#include "metrics_sum.hpp"
#include "occupancy.hpp"
#include "outbox.hpp"
#include "outcome.hpp"
#include "pause_signal.hpp"
#include "step_stop.hpp"
#include "turn.hpp"

#include <fermata/base/stop_signal.hpp>
#include <fermata/base/sync.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/repository/repository.hpp>
#include <fermata/runtime/doorbell.hpp>
#include <fermata/runtime/job_operator.hpp>

#include <algorithm>

namespace fermata {

/// The job's surroundings, for all its steps.
struct JobScope {
    Repository& repository;
    const Registry& registry;
    const sql::Drivers& drivers;
    StopSignal& stop;
    PauseSignal& pause;
    StepStops& step_stops;
    Sync<RunningJob>& display;
    Claim claim;
    std::string file;  ///< of the job XML, for messages
    bool accept_sink = false;
    int owner_fd = -1;
    Crew& crew;
    Chime& chime;
    Occupancy& occupancy;
    std::string actor;
    const Worker* claimer = nullptr;          ///< claims partitions for this execution; null: its process does for all
    std::size_t helpers = 0;                  ///< so many of them at once, and one more
    Doorbell* doorbell = nullptr;             ///< rung where workers may claim partitions
    std::optional<StepClaim> partition = {};  ///< all that this process has of the execution is this partition

    /// To be called before an end, or a rest, is recorded: what stopped because somebody else may own it by now has not
    /// ended. Throws Error(stale).
    void require_ours() const {
        if (stop.reason() != StopReason::fenced) return;
        throw Error(ErrorKind::stale, "it was stopped because its worker can no longer be sure to own it",
                    "it goes on from its last checkpoint, with whoever claims it");
    }
    /// What is asked of the execution. Throws Error(stale) if what is run here is somebody else's by now.
    [[nodiscard]] Requests poll() const {
        return partition ? repository.poll_partition(*partition) : repository.poll(claim);
    }
    /// What an owner learned from the database reaches the running artifacts.
    void heed(const Requests& requests) const {
        pause.learn(requests);
        step_stops.learn(repository, claim, requests.cuts);  // first: it was asked before the stop of everything
        if (requests.status != BatchStatus::stopping) return;
        if (requests.stop_now)
            stop.request_now(StopReason::operator_asked);
        else
            stop.request(StopReason::operator_asked);
    }
};

struct StepScope {
    JobScope& job;
    StepStop& stop;
    const StepEntry& entry;
    JobContext& job_context;
    StepContext& context;
    ListenerChain& listeners;
    bool adopted = false;      ///< the same StepExecution goes on: after its owner died, or after a pause
    Outbox* outbox = nullptr;  ///< of a partition with a collector
    Metrics shown = {};        ///< what the display has of this partition
    Turn* turn = nullptr;      ///< of a partition that shares its slot with others

    /// What is committed, for progress displays; a partitioned step shows the sum of its partitions.
    void show(const Metrics& metrics, double fraction) {
        const auto display = job.display.lock();
        for (RunningStep& step : display->steps) {
            if (step.id != entry.claim.id) continue;
            if (entry.claim.partition == 0) {
                if (step.fraction < 0) step.fraction_before = std::max(fraction, 0.0);
                step.metrics = metrics;
                step.fraction = fraction;
            } else {
                step.metrics = sum(difference(step.metrics, shown), metrics);
                shown = metrics;
            }
        }
    }

    [[nodiscard]] Properties properties_of(std::string_view kind, const ResolvedArtifact& artifact) const {
        return {std::string(kind) + " \"" + artifact.ref + "\"", job.file, artifact.properties};
    }
};

}  // namespace fermata
