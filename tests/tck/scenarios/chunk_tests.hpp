#pragma once
// ChunkTests stand in three files: boundaries and restart, time limits, skip and retry.
#include "suite.hpp"

namespace fermata::tck {

class ChunkTests : public Suite {
protected:
    /// Thirty records, the reader fails at the thirteenth: the first execution ends at its last commit, the second goes
    /// on there. step2 is not reached: nothing leads to it.
    void fail_then_restart(const std::string& name, int item_count);
    /// Where chunks of `step` items begin and end, from `from` on.
    static std::string points(int from, int step);

    /// The job's ten seconds are made one, so that nobody waits long; which item ends the chunk is what counts.
    JobDefinition load_with_short_limit();
    static Parameters slow_reading(const std::string& fails_at, const std::string& execution = "1");

    static Parameters skipping(const std::string& read, const std::string& process, const std::string& write);
};

}  // namespace fermata::tck
