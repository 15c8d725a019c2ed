#pragma once
// `start` and `--detach`: a worker runs what was asked for.
#include "exit_code.hpp"
#include "session.hpp"

namespace fermata::cli {

/// To be called first. Throws Error(usage) for `-D`: the worker's own count.
void require_worker_can(const Session& session);
/// Prints the id, and, on stderr, if nobody serves its definition yet. Answers 0, whatever a worker may have made of it
/// already.
ExitCode conclude_submission(Session& session, JobExecutionId execution);
/// On stderr, of what waits for a worker.
void warn_if_nobody_serves(Session& session, const JobExecution& execution);

}  // namespace fermata::cli
