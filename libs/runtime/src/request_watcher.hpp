#pragma once
// Brings requests made in other processes to the executions of this one: one thread, one small query an execution when
// the repository's bell rings and, in case that got lost, once a second; ten times a second where there is no bell.
// Chunk commits bring them, too; the watcher serves batchlets, slow processors and sinks elsewhere.
#include "step_scope.hpp"

#include <fermata/repository/bell.hpp>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <vector>

namespace fermata {

class RequestWatcher {
public:
    /// Rings `chime` whenever it has looked: what rang may be news of partitions.
    RequestWatcher(Repository& repository, Chime& chime);
    ~RequestWatcher() = default;

    /// REQUIRES: `scope` lives until remove().
    void add(const JobScope& scope);
    void remove(const JobScope& scope);

private:
    struct Watched {
        const JobScope* scope;
        std::chrono::steady_clock::time_point since;
    };
    void run(std::stop_token done);
    [[nodiscard]] bool await_any(std::unique_lock<std::mutex>& lock, const std::stop_token& done);
    void listen_if_any_lasts();
    [[nodiscard]] bool must_look(bool could_hear, bool rang) const;
    void look_at_all();
    static void look(const JobScope& scope);

    Chime& chime_;
    Bell bell_;
    std::chrono::steady_clock::time_point looked_{};
    bool is_new_ = false;  ///< there is an execution nobody has looked at
    std::mutex mutex_;
    std::condition_variable_any wake_;
    std::vector<Watched> watched_;  ///< in the order of their coming
    std::jthread thread_;
};

}  // namespace fermata
