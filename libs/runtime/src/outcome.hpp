#pragma once
// What running something came to. Returned, never thrown: a container is a fold over its children's outcomes.
#include <fermata/model/records.hpp>

#include <string>
#include <variant>

namespace fermata {

struct Completed {};
/// A stop was asked for and the work has stopped.
struct Stopped {};
/// A stop of this step alone: it is COMPLETED as far as it came, and the job goes on.
struct Cut {
    std::string position;  ///< of the last item, where the reader can tell
};
/// It rests and is entered again: a pause is asked for, by itself or by others.
struct Paused {};
struct Failed {
    Failure failure;
};
using StepOutcome = std::variant<Completed, Stopped, Cut, Paused, Failed>;

/// Nothing of it is left to be done.
[[nodiscard]] inline bool is_complete(const StepOutcome& outcome) {
    return std::holds_alternative<Completed>(outcome) || std::holds_alternative<Cut>(outcome);
}
[[nodiscard]] inline BatchStatus status_of(const StepOutcome& outcome) {
    if (is_complete(outcome)) return BatchStatus::completed;
    if (std::holds_alternative<Stopped>(outcome)) return BatchStatus::stopped;
    if (std::holds_alternative<Paused>(outcome)) return BatchStatus::paused;
    return BatchStatus::failed;
}

}  // namespace fermata
