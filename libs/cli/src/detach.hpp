#pragma once
// `--detach`: the process splits before it has opened anything. The child, in a session of its own, starts the
// execution, tells its id and goes on alone; the parent prints the id and ends.
#include <optional>

#include "exit_code.hpp"
#include "session.hpp"

namespace fermata::cli {

class Detachment {
public:
    /// Not detached: everything stays here.
    Detachment() = default;
    Detachment(const Detachment&) = delete;
    Detachment& operator=(const Detachment&) = delete;
    ~Detachment();

    /// In the parent: waits until the child has an execution, prints its id and answers the exit code; the child's own
    /// if it ended before that, having told why on our stderr. In the child: nothing. REQUIRES: a single thread.
    std::optional<ExitCode> split(Session& session);
    /// Child: from now on alone, its output in logs/<execution>/detached.out. Does nothing if not detached.
    void announce(Session& session, JobExecutionId execution);

private:
    int announcement_ = -1;
};

}  // namespace fermata::cli
