#pragma once
// Makes the counters of a lost execution exact: where a sink of its own holds the truth about a step, the repository's
// copy may be a second behind when the owner dies.
#include <fermata/repository/repository.hpp>

namespace fermata {

/// Looks into every sink the instance is known to have. A sink out of reach is passed over: the next entry into the
/// step settles the same. Throws what the repository throws.
void settle_counts(Repository& repository, const sql::Drivers& drivers, JobInstanceId instance);

}  // namespace fermata
