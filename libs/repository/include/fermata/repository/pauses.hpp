#pragma once
// What is asked of, and answered by, the verbs about waiting (design: "Pause, resume, signals"). Each decides under the
// lock of the execution's row: of a signal and a pause that is entered, of two resumers, of a timeout and a stop, one
// comes first and the other one sees it.
#include <fermata/model/records.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

/// The pauses whose signals belong to an entry of a step: by their epochs, 0 = none.
struct SignalSource {
    std::int64_t own = 0;      ///< its own pause, or the one before it
    std::int64_t outside = 0;  ///< asked for from outside
    [[nodiscard]] bool empty() const noexcept { return own == 0 && outside == 0; }
};

/// What an owner learns about a pause it asked for.
struct PauseOpened {
    std::int64_t epoch = 0;  ///< 0: there is none, since none was asked for or the execution is STOPPING
    bool open = false;       ///< false: signals that had come before complete it, nothing waits
};

struct StepRest {
    Progress progress;
    std::optional<PauseRequest> pause;
};

enum class Rested : std::uint8_t {
    paused,
    goes_on,    ///< STARTED, still owned: no pause is open any more
    handed_on,  ///< STARTING, nobody's: a worker goes on
    stopping,   ///< nothing was written: a stop came first
};

/// What a step and its execution came to as they rested together.
struct RestedTogether {
    PauseOpened pause;
    bool paused = false;    ///< false: only the step rests, and rest_execution() decides about the execution
    bool notifies = false;  ///< PAUSED, and somebody is to be told
};

struct OutsidePause {
    PauseRequest what;
    bool after_step = false;  ///< running steps end first; else chunk steps rest at the end of their chunk
    std::string actor;
};
struct PauseAnswer {
    enum class Effect : std::uint8_t {
        requested,  ///< PAUSING now
        paused,     ///< had no live owner: PAUSED now
        already,    ///< asked from outside before; `since` says since when
        not_running,
    };
    Effect effect{};
    BatchStatus status{};
    std::int64_t epoch = 0;
    std::optional<Timestamp> since;
};

struct SignalRequest {
    std::string point;
    std::optional<std::string> key;      ///< of the sender's choice; the same again gets the first answer
    std::optional<std::int64_t> pause;   ///< the epoch it is meant for
    std::optional<std::string> payload;  ///< JSON, as check_payload() takes it
    std::string sender;
};
struct SignalAnswer {
    enum class Disposition : std::uint8_t {
        applied,    ///< completed its pause
        counted,    ///< more are needed
        duplicate,  ///< this key was sent before; the other fields tell the first answer
        buffered,   ///< the point is not reached; the pause entered there next takes it
        stale,      ///< the pause it names is not open
        conflict,   ///< the key was sent with another payload, or the execution is STOPPING
        finished,   ///< the execution has ended
    };
    Disposition disposition{};
    std::optional<Disposition> first;  ///< of a duplicate
    std::int64_t counted = 0;
    std::int64_t needed = 0;
    std::int64_t pause = 0;
    BatchStatus status{};  ///< of the execution, afterwards
};
[[nodiscard]] std::string_view to_string(SignalAnswer::Disposition disposition);
[[nodiscard]] std::optional<SignalAnswer::Disposition> parse_disposition(std::string_view text);

struct ResumeRequest {
    std::optional<std::string> point;  ///< nothing: all open pauses
    std::optional<std::int64_t> seen;  ///< the newest pause epoch the caller saw: if there is a newer one, he lost
    std::optional<std::string> payload;
    std::string actor;
};
struct ResumeAnswer {
    enum class Effect : std::uint8_t {
        owned,         ///< STARTED and the worker's
        released,      ///< STARTING and nobody's: it waits for a worker
        still_paused,  ///< other pauses are open
        withdrawn,     ///< was PAUSING because of a request from outside: goes on as if nothing had been asked
        completed,     ///< is still PAUSING: its owner goes on when everything rests
        no_such_point,
        conflict,  ///< nothing to resume, or somebody else was first
    };
    Effect effect{};
    BatchStatus status{};
    JobExecutionId execution;
    JobInstanceId instance;
    std::string instance_uuid;
    std::int64_t epoch = 0;
    bool adopted = false;  ///< somebody owned it before
    bool begun = false;    ///< and rested: beforeJob has been called
    bool accept_sink = false;
    bool accept_input = false;
    std::optional<std::string> resumed_by;  ///< conflict: who was first
    std::optional<Timestamp> resumed_at;
};

struct Notification {
    JobExecutionId execution;
    std::int64_t epoch = 0;
};

/// A pause behind an element.
struct PauseBehind {
    PauseRequest what;
    PauseKind kind = PauseKind::after;  ///< outside: asked for while the element ran, by its own script for one
    std::string opened_by = {};         ///< empty: the runtime
};

struct PauseSummary {
    std::string point;
    std::int64_t pauses = 0;
    std::int64_t signals = 0;
    Timestamp first;
    Timestamp last;
};

}  // namespace fermata
