#pragma once
// One execution from beforeJob to its recorded end, around the walk.
#include "walk.hpp"

namespace fermata {

class JobRunner {
public:
    JobRunner(Walk::Plan plan, JobScope& scope, JobContext context, std::optional<WalkResumed> resumed);

    /// Runs to the end, or to a rest, and records it. Returns without recording if another owner holds the execution
    /// meanwhile.
    void run();
    /// After run(): as Walk::take_memory.
    [[nodiscard]] std::optional<WalkMemory> take_memory() { return walk_->take_memory(); }

private:
    /// Nothing if it is PAUSED, or was handed on.
    std::optional<JobEnd> walk();
    std::optional<JobEnd> walk_to_rest();
    bool make_listeners(JobEnd& end);
    [[nodiscard]] JobEnd end_of(WalkOutcome outcome);
    JobEnd finish(JobEnd end);
    bool call_listeners(void (JobListener::*method)(), JobEnd& end);
    void fail(JobEnd& end) const;

    const RunnableJob& job_;
    JobScope& scope_;
    JobContext context_;
    Walk::Plan plan_;
    std::optional<Walk> walk_;
    ListenerChain listeners_;
};

}  // namespace fermata
