#pragma once
// What running something came to. Returned, never thrown: a container is a fold over its children's outcomes.
#include <fermata/model/records.hpp>

#include <string>
#include <variant>

namespace fermata {

struct Completed {};
/// A stop was asked for and the work has stopped.
struct Stopped {};
struct Failed {
    Failure failure;
};
using StepOutcome = std::variant<Completed, Stopped, Failed>;

[[nodiscard]] inline BatchStatus status_of(const StepOutcome& outcome) {
    if (std::holds_alternative<Completed>(outcome)) return BatchStatus::completed;
    if (std::holds_alternative<Stopped>(outcome)) return BatchStatus::stopped;
    return BatchStatus::failed;
}

}  // namespace fermata
