#pragma once
// The walk: a loop over returned outcomes, recorded step by step, so that whoever adopts the execution goes on from the
// record. Nothing new is entered after a stop was seen.
#include "assemble.hpp"
#include "step_runner.hpp"
#include "transition.hpp"

#include <map>
#include <set>
#include <string>

namespace fermata {

class JobRunner {
public:
    struct Plan {
        const RunnableJob& job;
        std::optional<std::string> start_at;  ///< `stop restart=` of the execution before
        bool adopted = false;                 ///< an execution that another owner began
    };
    JobRunner(Plan plan, JobScope& scope, JobContext context);

    /// Runs to the end and records it. Returns without recording if another owner holds the execution meanwhile.
    void run();

private:
    JobEnd walk();
    /// Where to begin, or how it ended already.
    std::optional<JobEnd> find_start();
    std::optional<JobEnd> replay_record();
    JobEnd walk_from_here();
    /// Enters or passes over one step and records where the walk goes.
    Transition advance(const RunnableStep& step);
    Transition pass(const RunnableStep& step, const StepState& state);
    Transition enter(const RunnableStep& step, StepEntryMode mode);
    JobEnd end_by(const Transition& transition);
    JobEnd fail(std::string error_class, std::string message, std::string step = {});
    void begin();
    JobEnd finish(JobEnd end);
    bool call_listeners(void (JobListener::*method)(), JobEnd& end);

    Plan plan_;
    JobScope& scope_;
    JobContext context_;
    ListenerChain listeners_;
    std::map<std::string, StepState> states_;  ///< what earlier executions of the instance left
    std::set<std::string> entered_;            ///< in this execution, passed ones included
    std::int64_t number_ = 0;                  ///< walk entries so far
    const RunnableStep* current_ = nullptr;
    std::optional<Failure> failure_;  ///< of the last failed step
    bool adopt_current_ = false;
};

}  // namespace fermata
