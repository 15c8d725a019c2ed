#pragma once
// Where the walk goes after an element (Jakarta Batch §8.6, §8.9): pure, so that a walk can be replayed.
#include <fermata/model/records.hpp>
#include <fermata/model/resolved_job.hpp>

#include <optional>
#include <string>

namespace fermata {

struct Transition {
    enum class Kind : std::uint8_t {
        next,    ///< enter `to`
        finish,  ///< nothing follows: the job completes
        end,     ///< COMPLETED
        fail,    ///< FAILED
        stop,    ///< STOPPED; a restart begins at `restart`
        failed,  ///< an unhandled failure and no element that matches
    };
    Kind kind = Kind::finish;
    std::string to;
    std::optional<std::string> exit_status;
    std::optional<std::string> restart;
};
[[nodiscard]] std::string_view to_string(Transition::Kind kind);

/// `exit_status` is the step's, after defaulting to its batch status.
[[nodiscard]] Transition transition_after(const ResolvedStep& step, BatchStatus status, std::string_view exit_status);

}  // namespace fermata
