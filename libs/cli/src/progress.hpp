#pragma once
// How a run is shown while it runs, on stderr: repainted in place on a terminal, one key=value line a change (and a
// heartbeat each 30 s) elsewhere, or not at all.
#include <fermata/runtime/job_operator.hpp>

#include <memory>
#include <string>
#include <string_view>

#include "output.hpp"
#include "settings.hpp"

namespace fermata::cli {

class ProgressDisplay {
public:
    virtual ~ProgressDisplay() = default;
    /// Called about ten times a second and at every end of a step.
    virtual void update(const RunningJob& job) = 0;
    /// Takes the display away so that others may write; the next update paints it again.
    virtual void clear() {}
    /// What can be done, shown beside the job from now on.
    virtual void hint(std::string_view /*text*/) {}
    virtual void finish(const JobExecution& execution) = 0;
};

/// `job_name` and `hint` ("Ctrl-C: stop at next checkpoint") are shown. The setting "progress" decides; "auto" looks at
/// stderr and TERM.
[[nodiscard]] std::unique_ptr<ProgressDisplay> make_progress(const Settings& settings, const Style& style,
                                                             std::string job_name, std::string hint);

}  // namespace fermata::cli
