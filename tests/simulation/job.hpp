#pragma once
// The jobs that run in a simulation: a few steps one after the other, by chance.
#include "chance.hpp"

#include <fermata/model/pause.hpp>
#include <fermata/repository/repository.hpp>

#include <optional>
#include <string>
#include <vector>

namespace fermata::simulation {

inline constexpr std::int64_t items_a_chunk = 3;

struct Step {
    std::string name;
    std::int64_t chunks = 0;                   ///< of the step, or of each partition; 0: a batchlet
    std::optional<std::int64_t> partitions;    ///< nothing: not partitioned
    bool shared = false;                       ///< any worker may claim them
    std::optional<PauseRequest> pause_within;  ///< asked for in the first chunk
    std::optional<PauseRequest> pause_after;
};

struct Job {
    std::string name;
    std::vector<Step> steps;
    bool for_workers = false;  ///< the partitions of all its steps
    [[nodiscard]] const Step& step(std::string_view its_name) const;
    [[nodiscard]] StoredDefinition definition() const { return {"hash of " + name, name, "{}"}; }
};

[[nodiscard]] Job any_job(Chance& chance, const std::string& name, double shared);

}  // namespace fermata::simulation
