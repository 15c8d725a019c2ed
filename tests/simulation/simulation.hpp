#pragma once
// One seed, from the first event to the last: first all that can go wrong does, then nothing more, and everything has
// to come to an end.
#include "store.hpp"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fermata::simulation {

struct Report {
    std::uint64_t seed = 0;
    std::string violation;  ///< empty: everything held
    std::vector<std::string> trace;
    std::uint64_t trace_hash = 0;
    std::map<std::string, std::int64_t> rare;  ///< states that came up, and how often
};

[[nodiscard]] Report simulate(std::uint64_t seed, Store& store);

}  // namespace fermata::simulation
