#pragma once
// The partitions of a step that any worker may claim, as the owner of its execution sees them: it learns from rows
// what each has come to, whoever runs it, and outside of a worker's process it claims some itself.
#include "partition_run.hpp"

#include <chrono>
#include <exception>
#include <functional>
#include <list>
#include <map>
#include <mutex>
#include <thread>

namespace fermata {

class SharedPartitions {
public:
    /// All on the thread of run(). Of one partition data come in their order and then its end, each once.
    struct Listener {
        std::function<void(const std::string& data)> collected;
        std::function<void(const PartitionExecution& partition)> ended;
        std::function<bool()> gives_up;  ///< no partition is to begin any more
    };
    struct Left {
        bool some = false;  ///< not all have ended
        Metrics metrics;    ///< counted by those that have begun and not ended
    };
    /// `adopted`: an owner before may have withdrawn what it offered.
    SharedPartitions(const PartitionSurroundings& around, const StoredPlan& plan, bool adopted, Listener listener);

    /// Returns when all have ended; or none runs and none is to begin; or this process leaves, and others go on.
    /// Throws what the repository throws.
    Left run();

private:
    struct Helper {
        std::int64_t number = 0;  ///< of its partition
        std::jthread thread;
        bool done = false;
    };
    /// A partition that was run in this process, for the display.
    struct Here {
        bool runs = false;
        Metrics shown;  ///< when it last ran
    };
    [[nodiscard]] bool is_closed();
    void claim_here();
    void await_last_turn(std::int64_t number);
    void run_here(const std::shared_ptr<const ClaimedPartitions>& claimed, std::size_t index, Helper& helper);
    void join_done();
    void look_after_the_dead();
    void look();
    void tell(const std::vector<PartitionNews>& news);
    [[nodiscard]] Here shown_of(std::int64_t number);
    void show(const PartitionExecution& ended);
    [[nodiscard]] bool may_leave(bool closed) const;

    const PartitionSurroundings& around_;
    const Listener listener_;
    const bool adopted_;
    const bool is_batchlet_;
    std::size_t width_ = 0;                      ///< of what is claimed here
    std::map<std::int64_t, std::int64_t> open_;  ///< partitions whose end was not told; the newest sequence told
    std::int64_t running_ = 0;                   ///< as of the last look, wherever
    Left left_;                                  ///< as of the last look
    bool withdrawn_ = false;
    std::chrono::steady_clock::time_point looked_for_dead_{};

    std::mutex mutex_;  // of what follows
    std::map<std::int64_t, Here> here_;
    std::exception_ptr trouble_;
    std::list<Helper> helpers_;  // last: they use all of the above
};

}  // namespace fermata
