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
    void add(Clock::time_point begin) { all_.push_back(std::chrono::duration<double>(Clock::now() - begin).count()); }
    /// "COUNT MEDIAN NINETY-NINTH-OF-A-HUNDRED", in seconds.
    void report() {
        std::sort(all_.begin(), all_.end());
        std::printf("%zu %.6f %.6f\n", all_.size(), all_[all_.size() / 2], all_[all_.size() * 99 / 100]);
    }

private:
    std::vector<double> all_;
};

}  // namespace bench
