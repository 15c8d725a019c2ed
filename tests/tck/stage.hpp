#pragma once
// Where a scenario and its artifacts meet besides parameters and statuses: events to wait for, and what a Java program
// would have as system properties. One scenario runs at a time; artifacts find the stage by stage().
#include <fermata/base/sync.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <string>

namespace fermata {
class JobOperator;
}

namespace fermata::tck {

/// Counted arrivals and a door. Every wait has a deadline and then throws.
class Gate {
public:
    void arrive();
    void wait_for_arrivals(int count);
    void open();
    void wait_until_open();

private:
    void wait(auto&& condition, const char* what);
    std::mutex mutex_;
    std::condition_variable changed_;
    int arrivals_ = 0;
    bool is_open_ = false;
};

struct Stage {
    JobOperator* op = nullptr;  ///< for batchlets that ask for the operator
    std::string database;       ///< business tables of the transaction scenarios
    std::string property_name;  ///< which property the batchlet with properties is asked for
    Sync<std::string> property_value;
    Gate running;                ///< batchlets that run until they are stopped arrive here
    Gate* after_step = nullptr;  ///< if set, the universal listener arrives there and waits
};

Stage& stage();
void reset_stage();

}  // namespace fermata::tck
