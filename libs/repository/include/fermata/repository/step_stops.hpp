#pragma once
// Stopping one step while its job goes on (design: "Stop"). A request is written into the row of the StepExecution,
// under the lock of the execution's row: of it and the end of the step one comes first and the other one sees it.
#include <fermata/model/records.hpp>

#include <cstdint>
#include <optional>
#include <string>

namespace fermata {

struct StepStopRequest {
    std::string step;
    bool now = false;  ///< no grace period for commands
    std::string actor;
};
struct StepStopAnswer {
    enum class Effect : std::uint8_t {
        requested,         ///< the owner ends the step; if it is dead, whoever recovers the execution does
        already,           ///< asked before; `since` says since when; `now` may have been raised
        step_not_running,  ///< never entered, PAUSED or ended
        not_running,       ///< the execution: ended, PAUSED, waiting for an owner, or STOPPING as a whole
    };
    Effect effect{};
    BatchStatus status{};             ///< of the execution
    std::optional<BatchStatus> step;  ///< nothing: it was not entered in this execution
    StepExecutionId step_execution;
    std::optional<Timestamp> since;
    bool owner_lost = false;
};

/// A StepExecution that somebody has asked to stop alone.
struct StepCut {
    JobExecutionId execution;
    StepExecutionId step_execution;
    std::string step;
    std::string by;
    Timestamp at;
    bool now = false;
    std::optional<std::int64_t> after;  ///< items it had read when it was cut short; nothing: not, or not yet
    std::string position;               ///< where the last of them stood, "vendors.csv:612"; may be empty
};

/// How far a step had come that ends because of such a request.
struct CutShort {
    std::int64_t after = 0;
    std::string position;
};

}  // namespace fermata
