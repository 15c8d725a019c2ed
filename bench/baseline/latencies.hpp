#pragma once
// How long each of many took.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <vector>

namespace bench {

class Latencies {
public:
    using Clock = std::chrono::steady_clock;
    /// How many come first that do not count: a server plans a statement anew the first five times.
    static constexpr long warming = 20;
    void add(Clock::time_point begin) {
        const std::chrono::duration<double> took = Clock::now() - begin;
        if (++seen_ > warming) all_.push_back(took.count());
    }
    /// "COUNT MEDIAN NINETY-NINTH-OF-A-HUNDRED", in seconds.
    void report() {
        std::sort(all_.begin(), all_.end());
        std::printf("%zu %.6f %.6f\n", all_.size(), all_[all_.size() / 2], all_[all_.size() * 99 / 100]);
    }

private:
    long seen_ = 0;
    std::vector<double> all_;
};

}  // namespace bench
