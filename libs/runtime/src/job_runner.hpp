#pragma once
// One execution from beforeJob to its recorded end, around the walk.
#include "walk.hpp"

namespace fermata {

class JobRunner {
public:
    JobRunner(Walk::Plan plan, JobScope& scope, JobContext context);

    /// Runs to the end and records it. Returns without recording if another owner holds the execution meanwhile.
    void run();

private:
    JobEnd walk();
    void begin();
    [[nodiscard]] JobEnd end_of(WalkOutcome outcome);
    JobEnd finish(JobEnd end);
    bool call_listeners(void (JobListener::*method)(), JobEnd& end);

    const RunnableJob& job_;
    JobScope& scope_;
    JobContext context_;
    Walk walk_;
    ListenerChain listeners_;
};

}  // namespace fermata
