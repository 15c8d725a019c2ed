#pragma once
// Workers that own something and are proved dead, and what becomes of the row of one that owns nothing.
#include "ownership.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace fermata {

/// A row of `job_execution` or of `partition_execution` whose owner is `w`.
inline constexpr std::string_view of_an_execution = "SELECT 1 FROM job_execution e WHERE e.owner = w.id";
inline constexpr std::string_view of_a_partition = "SELECT 1 FROM partition_execution x WHERE x.owner = w.id";

struct Corpse {
    WorkerRecord worker;
    bool served = false;
    std::string evidence;
};
/// Others than `finder` that own what `owning` finds, by their ids.
[[nodiscard]] std::vector<Corpse> corpses(sql::Connection& connection, const Worker& finder, std::string_view owning,
                                          const std::filesystem::path& data_folder);

/// Deletes the row of a worker that owns nothing, and commits. False if it does own something, or is gone already.
bool delete_if_idle(StoreWrite& write, std::int64_t worker);
/// The same of a dead one in a transaction of its own, and then its owner file.
bool forget_if_idle(Store& store, const WorkerRecord& worker, const std::filesystem::path& data_folder);

}  // namespace fermata
