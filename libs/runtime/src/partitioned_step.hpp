#pragma once
// A partitioned step on its own thread (Jakarta Batch §8.2.6, §11.5, §11.7): reducer, mapper, the stored plan, its
// partitions on other threads, analyzer, reducer.
#include "partition_run.hpp"

#include <atomic>
#include <deque>
#include <variant>

namespace fermata {

class PartitionedStep {
public:
    /// `entry`: the plan may raise its generation.
    PartitionedStep(const RunnableStep& step, StepScope& scope, StepEntry& entry);

    /// Throws what an artifact of the step threw, after the reducer's rollback. Partitions that run go on to their end
    /// first.
    StepOutcome run();
    /// The sum of all partitions of this step execution, those that ended under an owner before included.
    [[nodiscard]] const Metrics& metrics() const noexcept { return metrics_; }
    /// What a partition asked for that comes after the step.
    [[nodiscard]] const std::optional<StepPause>& pause_asked() const noexcept { return pause_asked_; }

private:
    struct Data {
        std::string data;
    };
    struct Ended {
        BatchStatus status{};
        std::string exit_status;
        std::optional<std::string> collected = std::nullopt;  ///< at its end; nobody's news come between
    };
    using News = std::variant<Data, Ended>;

    void make_artifacts();
    StepOutcome map_and_run();
    StoredPlan make_plan();
    [[nodiscard]] PlanRequest ask_mapper();
    void run_partitions(const StoredPlan& plan);
    void share_partitions(const StoredPlan& plan);
    void run_child(const PartitionExecution& partition, const std::vector<CollectedData>& collected);
    void replay_ended(const PartitionExecution& partition, const std::vector<CollectedData>& collected);
    void tell_ended(const PartitionExecution& partition);
    void take_unserved_pauses();
    void note(const PartitionOutcome& outcome);
    void tell(News news);
    void analyze_news();
    [[nodiscard]] StepOutcome fold() const;

    const RunnableStep& step_;
    StepScope& scope_;
    StepEntry& entry_;
    PartitionSurroundings around_;
    std::unique_ptr<PartitionReducer> reducer_;
    std::unique_ptr<PartitionMapper> mapper_;
    std::unique_ptr<PartitionAnalyzer> analyzer_;
    bool shared_ = false;  ///< workers claim its partitions: what they say comes from the rows
    Crew::Gang* gang_ = nullptr;
    Sync<std::deque<News>> news_;
    std::exception_ptr analyzer_error_;

    std::mutex mutex_;  // of what follows
    Metrics metrics_;
    std::optional<Failure> failure_;  ///< the first one
    bool stopped_ = false;
    bool cut_ = false;  ///< some, entered or not, were not done
    bool paused_ = false;
    std::optional<StepPause> pause_asked_;
    std::exception_ptr trouble_;         ///< the repository could not be written, or is another owner's now
    std::atomic<bool> give_up_ = false;  ///< enter no more partitions: the step has failed already
};

}  // namespace fermata
