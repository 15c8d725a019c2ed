#pragma once
#include "session.hpp"

namespace fermata::cli {

/// The skipped items of an execution as the journal keeps them, oldest first.
void print_skips(Session& session, JobExecutionId execution);

}  // namespace fermata::cli
