#pragma once
// The walk: every container is a fold over what its elements came to. Nothing calls what follows it and nothing writes
// into what holds it. What an element came to is recorded before the next one is entered, so that an adopter follows
// the record to its end and goes on from there.
#include "assemble.hpp"
#include "step_runner.hpp"
#include "transition.hpp"

#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace fermata {

/// What an element came to.
struct WalkOutcome {
    BatchStatus status = BatchStatus::completed;
    std::string exit_status;             ///< what its transition elements meet
    std::vector<StepExecutionId> steps;  ///< what a decision that follows is given
    std::optional<Failure> failure;
    bool ends_job = false;  ///< nothing follows, at any level: an end, fail or stop element, a stop, a wrong walk
    /// Of a flow of a split that ends the job by an element: what the job's exit status becomes (§8.4.1).
    std::optional<std::string> job_exit_status;
    std::optional<std::string> restart;
    SignalSource signals = {};  ///< sent to a pause behind the last element, which no step has received yet
};

/// What an owner knows of an execution that it has let rest: as long as nobody else has owned it since, none of it has
/// changed.
struct WalkMemory {
    std::map<std::string, StepState> states;  ///< what earlier executions of the instance left
    std::map<std::pair<std::string, std::int64_t>, WalkEntry> record;
    StepClaim rested;  ///< the only step that has not ended
};
/// An execution was resumed in its step that rested.
struct WalkResumed {
    WalkMemory memory;
    StepEntry entry;
    std::int64_t outside_pause = 0;
    Requests requests;
};

class Walk {
public:
    struct Plan {
        const RunnableJob& job;
        std::optional<std::string> start_at;  ///< `stop restart=` of the execution before
        bool adopted = false;                 ///< an execution that was begun before
        bool begun = false;                   ///< and has rested: beforeJob has been called
    };
    Walk(Plan plan, JobScope& scope, std::optional<WalkResumed> resumed = {});

    /// Something was entered already, or the execution has rested.
    [[nodiscard]] bool has_begun() const { return plan_.begun || !record_.empty() || !unfinished_.empty(); }
    /// From the job's first element, or where it restarts, to its end.
    WalkOutcome run(JobContext& context);
    /// The execution came to rest together with its last step: nothing is left to be recorded.
    [[nodiscard]] const std::optional<RestedTogether>& rested() const { return rested_; }
    /// After it came to rest in that way, for whoever resumes it here; nothing if it was not worth keeping.
    [[nodiscard]] std::optional<WalkMemory> take_memory() { return std::move(memory_); }

private:
    /// The elements of a job or flow, and whose context their steps share.
    struct Place {
        const std::vector<RunnableElement>& elements;
        std::string scope;  ///< id of the flow, empty for the job
        JobContext& context;
        bool in_split = false;
    };
    /// Where one walk through a place stands.
    struct Standing {
        const RunnableElement* current = nullptr;
        SignalSource signals;                ///< for the step entered next
        std::int64_t number = 0;             ///< entries of the walk so far
        std::set<std::string> entered;       ///< passed ones included
        std::vector<StepExecutionId> steps;  ///< of the element before
        std::optional<Failure> failure;      ///< of the last step that failed
    };
    struct Move {
        WalkOutcome outcome;
        Transition transition;
        PauseOpened pause = {};  ///< behind the element
    };
    WalkOutcome walk(const Place& place, const RunnableElement* first, const SignalSource& signals);
    Move move(const Place& place, const Standing& standing);
    Move replay(const WalkEntry& entry, const RunnableElement& element, const Place& place);
    Move enter(const RunnableStep& step, const Place& place, const Standing& standing);
    Move enter(const RunnableFlow& flow, const Place& place, const Standing& standing);
    Move enter(const RunnableSplit& split, const Place& place, const Standing& standing);
    Move enter(const RunnableDecision& decision, const Place& place, const Standing& standing);
    Move pass(const RunnableStep& step, const StepState& state, const Place& place, const Standing& standing);
    Move run_step_here(const RunnableStep& step, StepEntryMode mode, const Place& place, const Standing& standing);
    Move end_step_here(const RunnableStep& step, StepResult result, const Place& place, const Standing& standing);
    /// Nothing if it is to be entered again at once.
    std::optional<WalkOutcome> rest_step_here(const RunnableStep& step, const StepResult& result, const Place& place,
                                              const Standing& standing);
    PauseOpened rest(const RunnableStep& step, const StepResult& result, const Place& place);
    /// It came to rest with its owner alive, and nothing was recorded since: what was said of the job's exit status
    /// then is newer than what the walk replays.
    [[nodiscard]] bool rested_by_itself(const std::string& step) const;
    /// The step that was entered as the execution was resumed, once.
    std::optional<StepEntry> take_entered(const std::string& step);
    void recall();
    WalkOutcome walk_flow_of_split(const RunnableFlow& flow, const Place& place, const SignalSource& signals);
    WalkOutcome fold(std::vector<WalkOutcome> flows) const;
    std::string ask(const RunnableDecision& decision, const Place& place, const Standing& standing);
    std::vector<StepExecution> steps_for_decision(const Standing& standing);
    PauseOpened heed(const ElementRecorded& recorded);
    /// Of a step that is passed over: what asked for its end to be waited for before, if nobody has answered.
    std::vector<PauseBehind> unanswered_pauses(const std::string& step, const Transition& way);
    void record(Move& move, const RunnableElement& element, std::string outcome, const Place& place,
                const Standing& standing);
    [[nodiscard]] const WalkEntry* recorded(const Place& place, std::int64_t number) const;
    /// What was sent to the pause from outside was for a step in it.
    [[nodiscard]] bool has_received(const RunnableElement& element) const;
    /// A step in it was entered by the owner before and has not ended.
    [[nodiscard]] bool is_running(const RunnableElement& element) const;
    static WalkOutcome stopped(const Standing& standing);
    static WalkOutcome paused(const Standing& standing);
    static WalkOutcome wrong(std::string error_class, std::string message, std::string step = {});
    static WalkOutcome failed_for(Failure failure);
    static Failure failure_told(const Standing& standing, const WalkOutcome& outcome);

    Plan plan_;
    JobScope& scope_;
    std::map<std::string, StepState> states_;  ///< what earlier executions of the instance left
    std::map<std::pair<std::string, std::int64_t>, WalkEntry> record_;
    std::map<std::string, BatchStatus> unfinished_;  ///< steps that were entered: STARTED or PAUSED
    std::mutex earlier_mutex_;                       ///< flows of a split pass steps over at the same time
    std::optional<std::map<std::string, std::vector<PauseBehind>>> unanswered_;  ///< read once a step is passed over
    std::optional<StepEntry> entered_;                                           ///< as the execution was resumed
    std::optional<std::string> said_;  ///< job's exit status as the walk begins
    std::optional<RestedTogether> rested_;
    std::optional<WalkMemory> memory_;
    std::atomic<bool> has_news_{false};  ///< what was recorded since is not in `record_`
    std::int64_t outside_ = 0;           ///< the pause from outside behind which it goes on: for what is entered next
};

}  // namespace fermata
