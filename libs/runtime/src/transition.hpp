#pragma once
// Where the walk goes after an element (Jakarta Batch §8.6, §8.9): pure, so that a walk can be replayed.
#include <fermata/model/records.hpp>
#include <fermata/model/resolved_job.hpp>

#include <optional>
#include <span>
#include <string>

namespace fermata {

struct Transition {
    enum class Kind : std::uint8_t {
        next,    ///< enter `to`
        finish,  ///< nothing follows: the job or flow completes
        end,     ///< COMPLETED
        fail,    ///< FAILED
        stop,    ///< STOPPED; a restart begins at `restart`
        failed,  ///< an unhandled failure and no element that matches
    };
    Kind kind = Kind::finish;
    std::string to;
    std::optional<std::string> exit_status;
    std::optional<std::string> restart;
    std::optional<PauseRequest> pause = {};  ///< before it goes there
};
[[nodiscard]] std::string_view to_string(Transition::Kind kind);

/// What leads out of an element: transition elements in document order, then the next attribute.
struct Ways {
    std::span<const ResolvedTransition> transitions;
    const std::optional<std::string>* next = nullptr;  ///< null: it can have none
};
[[nodiscard]] inline Ways ways_of(const ResolvedStep& step) { return {step.transitions, &step.next}; }
[[nodiscard]] inline Ways ways_of(const ResolvedFlow& flow) { return {flow.transitions, &flow.next}; }
[[nodiscard]] inline Ways ways_of(const ResolvedSplit& split) { return {{}, &split.next}; }
[[nodiscard]] inline Ways ways_of(const ResolvedDecision& decision) { return {decision.transitions, nullptr}; }

/// The first pause element that matches says that it pauses, and, if it has a target, where it goes then; without, what
/// follows it decides. `exit_status` is the element's, after defaulting to its batch status.
[[nodiscard]] Transition transition_after(const Ways& ways, BatchStatus status, std::string_view exit_status);

}  // namespace fermata
