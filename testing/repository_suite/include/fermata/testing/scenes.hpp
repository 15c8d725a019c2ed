#pragma once
// The verbs of the store as a list, and states to use them in: for tests that use every one of them.
#include <fermata/repository/repository.hpp>

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace fermata::testing {

/// One instance, its newest execution, and whoever owns it.
struct Scene {
    std::string job;
    Claim claim;
    StepClaim load;      ///< step "load", STARTED unless the execution has ended
    Progress committed;  ///< of that step
    StepClaim slice;     ///< partition 0 of it, STARTED, in partitioned scenes
    Progress sliced;     ///< and what it has committed
    std::unique_ptr<Worker> owner;
    std::unique_ptr<Worker> helper;  ///< of scenes with partitions for workers: serves, and has claimed partition 0
};
/// What a step has committed after ten more items, in a chunk of their own.
[[nodiscard]] Progress after_one_more_chunk(Progress progress);

/// Its owner lives and is in step "load", one chunk after its beginning.
[[nodiscard]] Scene live_scene(Repository& repository, const std::string& job);
/// FAILED.
[[nodiscard]] Scene failed_scene(Repository& repository, const std::string& job);
/// As live, but the kernel says that the owner is dead.
[[nodiscard]] Scene lost_scene(Repository& repository, const std::string& job);
/// PAUSED: step "load" rests at the point "approve".
[[nodiscard]] Scene paused_scene(Repository& repository, const std::string& job);
/// PAUSING, as asked from outside.
[[nodiscard]] Scene pausing_scene(Repository& repository, const std::string& job);
/// As pausing, but the kernel says that the owner is dead.
[[nodiscard]] Scene lost_pausing_scene(Repository& repository, const std::string& job);

/// As live and lost, but "load" has three partitions: 0 runs, one chunk after its beginning, 1 was not entered yet, 2
/// is COMPLETED.
[[nodiscard]] Scene partitioned_scene(Repository& repository, const std::string& job);
[[nodiscard]] Scene lost_partitioned_scene(Repository& repository, const std::string& job);

/// As partitioned and lost partitioned, but workers may claim the partitions, and `helper`, who lives, runs 0.
[[nodiscard]] Scene shared_scene(Repository& repository, const std::string& job);
[[nodiscard]] Scene lost_shared_scene(Repository& repository, const std::string& job);

/// STARTING and nobody's: it waits for a worker. No claim, no owner.
[[nodiscard]] Scene waiting_scene(Repository& repository, const std::string& job);

struct Verb {
    std::string name;
    /// What it answered, in a word; an Error's kind if it threw one.
    std::function<std::string(Repository& repository, Worker& worker, const Scene& scene)> run;
};
/// Those of anybody: launch with the instance's key, restart, stop, abandon, adopt, fail_lost, purge…
[[nodiscard]] const std::vector<Verb>& requests();
/// Those of the owner, with the scene's claims.
[[nodiscard]] const std::vector<Verb>& owner_verbs();

/// Those of the owner of a partitioned scene: the first enters partition 1, the others belong to partition 0.
[[nodiscard]] const std::vector<Verb>& partition_verbs();

/// Of a shared scene: the first claims what is open, five are those of the owner of partition 0, two those of the
/// execution's owner, the last one is a worker's housekeeping.
[[nodiscard]] const std::vector<Verb>& claimed_partition_verbs();

/// Those of a worker that serves the scene's job. REQUIRES: it is enlisted.
[[nodiscard]] const std::vector<Verb>& worker_verbs();

/// Everything the store says of a job's instances, without numbers and times that differ from run to run.
[[nodiscard]] std::string picture_of(Repository& repository, const std::string& job);

}  // namespace fermata::testing
