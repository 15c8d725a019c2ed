#pragma once
// What an execution waits for and what is sent to it (docs/waiting.md). A pause is a row with an epoch of its own,
// which counts within the execution; a signal goes to an execution and a point.
#include <fermata/base/clock.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace fermata {

/// What becomes of the execution when a pause was open too long.
enum class OnTimeout : std::uint8_t { fail, stop, resume };
[[nodiscard]] std::string_view to_string(OnTimeout what);                        ///< "fail"
[[nodiscard]] std::optional<OnTimeout> parse_on_timeout(std::string_view text);  ///< as written

/// What is asked for: by job XML, by an artifact, or from outside.
struct PauseRequest {
    std::string point;         ///< what signals name; not empty
    std::string message = {};  ///< for whoever is to decide
    std::int64_t signals = 1;  ///< how many different keys complete it, > 0
    std::optional<Duration> timeout = {};
    OnTimeout on_timeout = OnTimeout::fail;
    std::optional<std::string> notify = {};  ///< a command line, run once the execution is PAUSED
    bool operator==(const PauseRequest&) const = default;
};

/// What a step asks of itself.
struct StepPause {
    PauseRequest what;
    bool after = false;  ///< the step ends first; else it is entered again
    bool operator==(const StepPause&) const = default;
};
/// JSON, saved with the chunk in which it was asked. Throws Error(refused) if it is not.
[[nodiscard]] std::string encode(const StepPause& pause);
[[nodiscard]] StepPause decode_step_pause(std::string_view text);

/// Whose pause it is.
enum class PauseKind : std::uint8_t {
    after,    ///< something ended; the walk goes on behind it
    within,   ///< a step or partition is entered again
    outside,  ///< `fermata pause`
};
[[nodiscard]] std::string_view to_string(PauseKind kind);  ///< "after"
[[nodiscard]] std::optional<PauseKind> parse_pause_kind(std::string_view text);

/// One row: a pause that was entered.
struct Pause {
    std::int64_t epoch = 0;
    PauseKind kind{};
    PauseRequest what;
    std::string element;                    ///< which step, flow, split or decision; empty: asked from outside
    std::optional<std::int64_t> partition;  ///< from 0
    Timestamp opened;
    std::string opened_by;
    std::int64_t counted = 0;
    std::optional<Timestamp> deadline;
    std::optional<Timestamp> completed;
    std::optional<std::string> completed_by;
    std::optional<std::string> how;  ///< "signals", "resume", "withdrawn", "timeout", "ended" (with its execution)
    std::optional<Timestamp> notified;
};

/// What was sent, and what a resume carried.
struct Signal {
    std::string point;
    std::string key;
    std::optional<std::string> payload;  ///< JSON
    std::string sender;
    Timestamp at;
    std::optional<std::int64_t> pause;  ///< epoch it acted on; nothing while it is buffered
};
inline constexpr std::size_t largest_payload = std::size_t{64} * 1024;

/// Throws Error(invalid) naming what is wrong if `text` is no JSON, or too large.
void check_payload(const std::string& text);

}  // namespace fermata
