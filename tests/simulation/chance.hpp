#pragma once
// Numbers that depend on the seed and on nothing else: the same on every machine and library.
#include <cstdint>
#include <span>

namespace fermata::simulation {

class Chance {
public:
    explicit Chance(std::uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15U + 1) {}
    /// SplitMix64.
    std::uint64_t next() {
        std::uint64_t z = state_ += 0x9e3779b97f4a7c15U;
        z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
        z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
        return z ^ (z >> 31U);
    }
    /// REQUIRES: bound > 0.
    std::int64_t below(std::int64_t bound) {
        return static_cast<std::int64_t>(next() % static_cast<std::uint64_t>(bound));
    }
    std::int64_t between(std::int64_t least, std::int64_t most) { return least + below(most - least + 1); }
    double fraction() { return static_cast<double>(next() >> 11U) / static_cast<double>(std::uint64_t{1} << 53U); }
    bool happens(double probability) { return fraction() < probability; }
    template <class Container>
    auto& one_of(Container& all) {
        return all[static_cast<std::size_t>(below(static_cast<std::int64_t>(all.size())))];
    }

private:
    std::uint64_t state_;
};

}  // namespace fermata::simulation
