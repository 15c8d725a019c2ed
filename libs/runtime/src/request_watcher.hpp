#pragma once
// Brings requests made in other processes to the executions of this one: one thread, one small query an execution and
// poll. Chunk commits bring them, too; the watcher serves batchlets, slow processors and sinks elsewhere.
#include "step_scope.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace fermata {

class RequestWatcher {
public:
    explicit RequestWatcher(Repository& repository);
    ~RequestWatcher() = default;

    /// REQUIRES: `scope` lives until remove().
    void add(const JobScope& scope);
    void remove(const JobScope& scope);

private:
    void run(std::stop_token done);
    void look(const JobScope& scope);

    Repository& repository_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::vector<const JobScope*> scopes_;
    std::jthread thread_;
};

}  // namespace fermata
