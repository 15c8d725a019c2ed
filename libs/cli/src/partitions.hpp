#pragma once
#include "session.hpp"

namespace fermata::cli {

/// The partitions of an execution's partitioned steps, in their order.
void print_partitions(Session& session, JobExecutionId execution);

}  // namespace fermata::cli
