#pragma once
// The store: every change of an execution's rows is one of these verbs, and each verb is one transaction. Job
// executions are owned rows (design: "One protocol"): claim, commit with fence, take over, release. Safety never
// depends on time: each change is one conditional UPDATE on (id, epoch, status), row count 1 or nothing happened.
//
// Owner verbs take the Claim they were given and throw Error(stale) when another epoch rules now ("fenced"): the caller
// must write nothing more. Requests (stop, abandon, restart, recover) answer by value. Unknown ids: Error(not_found).
// Statements per verb do not depend on the length of the history (testing/repository_suite/queries_test.cpp).
//
// A worker's row exists while it owns something: the verb that makes it an owner writes it, the verb that ends or takes
// over its last execution deletes it (and a dead owner's file). So rows and files of the dead do not pile up. A worker
// that serves keeps its row from enlist() to retire(), or to the proof of its death.
//
// Threads: all methods may be called from any thread. On SQLite there is one write connection a process and file, and
// a Unit holds it; on a server every Unit and verb has one of its own while it lasts.
//
// A lost connection (a server that is restarted) is waited for, up to 30 s, and the verb done again; a commit whose
// verdict was lost with the connection is decided by a locking read. Only then SqlError(lost) is thrown.
#include <fermata/model/job_definition.hpp>
#include <fermata/model/records.hpp>
#include <fermata/repository/partitions.hpp>
#include <fermata/repository/pauses.hpp>
#include <fermata/repository/step_stops.hpp>
#include <fermata/repository/worker.hpp>
#include <fermata/repository/workers.hpp>
#include <fermata/sql/sql.hpp>

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

namespace fermata {

inline constexpr int schema_version = 7;

/// The right to change an execution: valid while the row's epoch is still this one.
struct Claim {
    JobExecutionId execution;
    JobInstanceId instance;
    std::string instance_uuid;
    std::int64_t epoch = 0;  ///< 0: none, but to a partition of it, whose own epoch fences what is written

    [[nodiscard]] bool owns_execution() const noexcept { return epoch > 0; }
};

/// What a worker claimed, and how it is to be entered.
struct ClaimedExecution {
    Claim claim;
    JobExecution execution;  ///< as the claim left it
    bool adopted = false;    ///< was begun before: by an owner that died, let it rest or handed it on
    bool begun = false;      ///< and beforeJob has been called
    bool accept_sink = false;
    bool accept_input = false;
};

/// What is committed and seen by others already, on its way to the disk.
class OnDisk {
public:
    struct Commit;
    OnDisk();
    explicit OnDisk(std::unique_ptr<Commit> commit);
    OnDisk(OnDisk&&) noexcept;
    ~OnDisk();
    /// Returns when it is durable. Throws Error while that is unknown, and each time after: the database may have
    /// forgotten it.
    void wait();

private:
    std::unique_ptr<Commit> commit_;  ///< null: it is durable
};

/// What a worker claimed together.
struct ClaimedTogether {
    std::vector<ClaimedExecution> executions;
    OnDisk on_disk;
};

struct LostExecution {
    JobExecutionId id;
    BatchStatus status{};
    WorkerRecord owner;
    bool was_served = false;  ///< its owner was a worker that serves, not the process of a run
};

/// The definition as stored once per distinct text: by its hash.
struct StoredDefinition {
    std::string hash;
    std::string job_name;
    std::string canonical;  ///< to_json(JobDefinition), with positions and source
};

struct LaunchRequest {
    StoredDefinition definition;
    std::optional<std::string> instance_key;
    Parameters parameters;
    std::string working_directory;
    std::string actor;         ///< "ann@host pid 4711"
    bool for_workers = false;  ///< workers may claim the partitions of all its steps
};

/// Another instance already has this key: nothing was written.
struct InstanceExists {
    JobInstanceId instance;
    JobExecutionId latest;
};

struct RestartRequest {
    Parameters parameters;
    std::optional<StoredDefinition> definition;  ///< `restart --job FILE`: replaces the stored one, recorded
    bool restartable = true;                     ///< as the (new) definition resolves
    bool accept_sink = false;                    ///< this and the next: for the journal
    bool accept_input = false;
    std::string actor;
    bool for_workers = false;  ///< as LaunchRequest's; what the execution before said stays
};
struct RestartRefused {
    /// waits: PAUSED, or resumed and nobody's yet
    enum class Reason : std::uint8_t { not_most_recent, already_complete, running, abandoned, not_restartable, waits };
    Reason reason{};
    BatchStatus status{};
    JobExecutionId latest;
    std::string owner;  ///< running: "pid 4711 on host", its liveness evidence
};

struct StopRequest {
    bool now = false;
    std::string actor;
};
struct StopAnswer {
    enum class Effect : std::uint8_t {
        requested,  ///< STOPPING now; the owner ends it
        stopped,    ///< had no live owner, or was PAUSED: STOPPED now
        already,    ///< was STOPPING; `since` says since when; `now` may have been raised
        not_running,
    };
    Effect effect{};
    BatchStatus status{};
    std::optional<Timestamp> since;
    bool owner_lost = false;  ///< stopped: its owner was proved dead
};

/// What an owner learns when it asks or commits.
struct Requests {
    BatchStatus status = BatchStatus::started;
    bool stop_now = false;
    bool pause_now = false;   ///< PAUSING: chunk steps rest at the end of their chunk, too
    std::int64_t pauses = 0;  ///< the newest pause epoch: what is older than what one knows is no news
    std::int64_t cuts = 0;    ///< how often steps were asked to stop alone: if it rises, step_stops_asked() says which
};

/// What the instance knows of a step from earlier entries: one row of step_progress.
struct StepState {
    std::string name;
    BatchStatus status{};
    std::optional<std::string> exit_status;
    std::int64_t starts = 0;  ///< real starts in the instance, for start-limit
    std::int64_t epoch = 0;
    StepExecutionId last_execution;
    Progress progress;
    std::int64_t deaths = 0;            ///< owners that died in this step since it last made progress
    std::int64_t death_sequence = 0;    ///< `progress.sequence` at the last death
    std::optional<std::string> intent;  ///< the item being tried when an owner died in item-by-item mode
    std::int64_t own_pause = 0;         ///< epochs of the pauses whose signals belong to this entry; 0 = none
    std::int64_t outside_pause = 0;
};

struct StepClaim {
    Claim execution;
    StepExecutionId id;
    std::string step;
    std::int64_t epoch = 0;
    std::int64_t partition = 0;  ///< of step_progress: 0 = the step itself, else the number of a partition + 1
};
enum class StepEntryMode : std::uint8_t {
    start,   ///< first time, or FAILED/STOPPED before: goes on from the stored progress, metrics from zero
    again,   ///< COMPLETED and allow-start-if-complete: generation + 1, null checkpoints, no user data
    adopt,   ///< same StepExecution after its owner died: metrics go on
    resume,  ///< same StepExecution, PAUSED: metrics go on
};
struct StepEntry {
    StepClaim claim;
    StepState state;  ///< after the entry, `progress` as committed
};

/// An execution that goes on in the step that rested.
struct ResumedInto {
    ResumeAnswer answer;
    std::optional<StepEntry> entered;        ///< nothing if it is not owned, or somebody else has owned it meanwhile
    std::optional<std::string> exit_status;  ///< with `entered`: the job's as stored
    std::int64_t outside_pause = 0;          ///< with `entered`: as outside_pause_of
    Requests requests;                       ///< with `entered`: as poll
};

/// A partition that was claimed: STARTED, and its owner's until it ends or rests.
struct ClaimedPartition {
    PartitionExecution partition;
    StepEntry entry;     ///< its claim does not own the execution
    bool begun = false;  ///< goes on in the same StepExecution: after its owner died, let it rest or handed it on
};
/// Partitions of one step that were claimed together; `step` names it, with epoch 0.
struct ClaimedPartitions {
    StepClaim step;
    bool accept_sink = false;
    bool accept_input = false;
    std::vector<ClaimedPartition> partitions;
};

/// What an element of the job came to and where the walk went after it; replayed by an adopter, so that nothing
/// recorded is asked or run twice.
struct WalkEntry {
    std::int64_t number = 0;  ///< from 1 within its scope
    std::string step;         ///< the element's id
    std::string outcome;  ///< "ran", "passed" (COMPLETED in an earlier execution), "decided", "walked" (flow, split)
    std::string taken;    ///< "next", "end", "fail", "stop", "finish" (nothing more), "failed"
    std::string to;       ///< next element, or empty
    std::string scope;    ///< id of the flow it stands in; empty: the job
    BatchStatus status = BatchStatus::completed;  ///< the element's
    std::optional<std::string> exit_status;       ///< the element's: what its transition elements met
    std::optional<std::string> job_exit_status;   ///< of the scope's JobContext, afterwards
    std::vector<StepExecutionId> steps;           ///< what a decision that follows is given
    std::optional<Failure> failure = {};          ///< of a decision; a step's stands with its StepExecution
    std::int64_t pause = 0;  ///< epoch of the pause after it, set by the verb that records it; 0 = none
};

struct StepEnd {
    BatchStatus status{};
    std::optional<std::string> exit_status;
    Progress progress;
    std::optional<Failure> failure;
    std::optional<std::string> job_exit_status;  ///< the job's, stored with each step end; nothing = leave it
    WalkEntry walk;
    bool partitioned = false;           ///< partitions that were never entered end with it
    std::optional<PauseRequest> pause;  ///< behind it
    std::optional<CutShort> cut = {};   ///< it ends before its work was done, since it was asked to
};
/// What the walk learns as an element ends: before it enters the next one.
struct ElementRecorded {
    PauseOpened pause;  ///< the one behind it; of several the last, open if any is
    Requests requests;
};
struct JobEnd {
    BatchStatus status{};
    std::optional<std::string> exit_status;
    std::optional<Failure> failure;
    std::optional<std::string> restart_from;
};

/// Another database that holds rows of an instance in its sink table.
struct SinkAddress {
    std::string url;  ///< secrets as references, no password
    std::string table;
    auto operator<=>(const SinkAddress&) const = default;
};

struct ExecutionFilter {
    std::vector<BatchStatus> statuses;  ///< empty = all
    std::optional<std::string> job_name;
    std::optional<JobInstanceId> instance;
    std::optional<std::string> instance_key;
    std::optional<Timestamp> since;  ///< created at or after
    std::optional<Timestamp> until;
    Parameters parameters;                 ///< all must match
    std::optional<JobExecutionId> before;  ///< for paging: ids below
    std::int64_t limit = 50;
};
struct PurgeFilter {
    std::optional<Timestamp> ended_before;
    std::optional<std::string> job_name;
    std::vector<BatchStatus> statuses;      ///< of the newest execution of the instance
    std::optional<std::int64_t> keep_last;  ///< per job name
    bool dry_run = false;
    std::string actor;
};
struct PurgeResult {
    std::int64_t instances = 0;
    std::int64_t executions = 0;
    std::vector<JobExecutionId> execution_ids;              ///< for their logs
    std::map<SinkAddress, std::vector<std::string>> sinks;  ///< instance UUIDs whose rows are to be removed there
};

class Repository {
public:
    /// Opens, creating the schema in one transaction if the database has none and `create`. Throws Error(unreachable)
    /// if it cannot be opened or does not exist, Error(refused) naming both versions if the schema is newer, or older
    /// and not yet migrated, Error(refused) if the database is something else or damaged.
    Repository(std::unique_ptr<sql::Database> database, std::filesystem::path data_folder, bool create,
               const Clock& clock = Clock::system());
    /// The same for a repository that several hosts share: what belongs to this host lies in a folder of its own, named
    /// by the repository's UUID.
    using FolderOf = std::function<std::filesystem::path(const std::string& uuid)>;
    Repository(std::unique_ptr<sql::Database> database, const FolderOf& data_folder, bool create,
               const Clock& clock = Clock::system());
    ~Repository();
    Repository(const Repository&) = delete;
    Repository& operator=(const Repository&) = delete;

    [[nodiscard]] const std::filesystem::path& data_folder() const noexcept { return data_folder_; }
    [[nodiscard]] sql::Database& database() noexcept { return *database_; }
    [[nodiscard]] std::string uuid();

    // --- launching -----------------------------------------------------------------------------------------------
    /// One transaction: definition (if new), instance, execution STARTED and owned by `worker`, parameters, event.
    std::variant<Claim, InstanceExists> launch(const LaunchRequest& request, Worker& worker);
    /// One transaction: checks that `previous` is the instance's newest execution and may be restarted, then a new
    /// execution, STARTED and owned. An owner proved dead is failed first, in the same transaction.
    std::variant<Claim, RestartRefused> restart(JobExecutionId previous, const RestartRequest& request, Worker& worker);
    /// As launch and restart, but STARTING and nobody's: it waits for a worker.
    std::variant<JobExecutionId, InstanceExists> submit(const LaunchRequest& request);
    std::variant<JobExecutionId, RestartRefused> submit_restart(JobExecutionId previous, const RestartRequest& request);

    // --- workers that serve ----------------------------------------------------------------------------------------
    /// Writes the row of a worker that serves. It stays until retire(), or until somebody has proof of its death.
    void enlist(const Worker& worker, const WorkerTerms& terms);
    /// Throws Error(stale) if the row is gone: the worker was taken for dead, and a new process is a new worker.
    void change_terms(const Worker& worker, const WorkerTerms& terms);
    /// Its row goes. REQUIRES: it owns nothing; what it owns all the same keeps the row until it ends.
    void retire(const Worker& worker);
    /// Owns up to `most` executions that wait for a worker and that this one serves, oldest first: STARTED. Throws
    /// Error(stale) as change_terms.
    [[nodiscard]] std::vector<ClaimedExecution> claim_waiting(const Worker& worker, std::int64_t most,
                                                              const std::string& actor);
    /// The same without waiting for the disk. REQUIRES: nothing is written or done for them before on_disk.wait() has
    /// returned; where it throws, they may be somebody else's with the same epoch, and are forgotten here.
    [[nodiscard]] ClaimedTogether claim_early(const Worker& worker, std::int64_t most, const std::string& actor);
    /// The same with the execution that `offer` names, which this worker serves, if it still waits. Where nothing is
    /// offered (Bell::offer()), with any that waits.
    [[nodiscard]] ClaimedTogether claim_offered(const Worker& worker, const Offer& offer, const std::string& actor);
    /// What the worker's rows say it owns but it does not know, since the answer to its claim was lost or it could not
    /// record an end: let go for others, as if its owner had died. Answers those.
    std::vector<JobExecutionId> disown_unknown(const Worker& worker, std::span<const JobExecutionId> known,
                                               const std::string& actor);
    /// Running executions whose owner is proved dead, of definitions that this worker serves.
    [[nodiscard]] std::vector<LostExecution> lost_executions(const Worker& worker);
    /// Rows of processes that own or serve something; by name, then id. Reads them all.
    [[nodiscard]] std::vector<WorkerState> workers();
    /// Whether a worker that is not known to be dead serves this definition.
    [[nodiscard]] bool is_served(const std::string& definition_hash);
    /// Deletes the rows of dead workers that own nothing. Answers how many.
    std::int64_t forget_dead_workers();

    // --- owner verbs ---------------------------------------------------------------------------------------------
    /// All steps the instance has entered, by name. One query.
    [[nodiscard]] std::map<std::string, StepState> steps_of_instance(JobInstanceId instance);
    [[nodiscard]] std::vector<WalkEntry> walk_of(JobExecutionId execution);
    /// `signals`: the pauses before this entry; an entry of the same StepExecution keeps those it had.
    StepEntry enter_step(const Claim& claim, const std::string& step, StepEntryMode mode,
                         const SignalSource& signals = {});
    /// A step that is passed over, a decision, a flow or split that ended: only its walk entry, and the pauses behind
    /// it.
    ElementRecorded record_walk(const Claim& claim, const WalkEntry& entry,
                                const std::vector<PauseBehind>& pauses = {});
    ElementRecorded end_step(const StepClaim& claim, const StepEnd& end);
    /// Pauses that are open end with it.
    void end_execution(const Claim& claim, const JobEnd& end);
    [[nodiscard]] Requests poll(const Claim& claim);
    /// The unfinished steps of the execution that were asked to stop alone.
    [[nodiscard]] std::vector<StepCut> step_stops_asked(const Claim& claim);

    /// The chunk's commit. Holds the write connection from begin() to the end; rolls back unless committed.
    class Unit {
    public:
        Unit(Unit&&) noexcept;
        ~Unit();
        [[nodiscard]] sql::Connection& connection() noexcept;
        /// Fenced UPDATE of step_progress with `next` + `more` + COMMIT: two metadata statements at most. Returns what
        /// was asked of the execution meanwhile. Throws Error(stale) if fenced; nothing is kept then. If the connection
        /// was lost, SqlError(lost): nothing is kept then either (what was in doubt has been looked up).
        Requests commit(const StepClaim& claim, const Progress& next, std::span<const sql::Command> more = {});

    private:
        friend class Repository;
        struct Open;
        Unit(Repository& repository, std::unique_ptr<Open> open);
        Repository* repository_;
        std::unique_ptr<Open> open_;
    };
    /// Begins the write transaction.
    [[nodiscard]] Unit unit();
    /// The connection of all units of one step: what its writer prepared on it serves all chunks, and never gets into
    /// somebody else's transaction. For one unit after the other; outlives them.
    class Lane {
    public:
        Lane(Lane&&) noexcept;
        ~Lane();

    private:
        friend class Repository;
        struct Kept;
        explicit Lane(std::unique_ptr<Kept> kept);
        std::unique_ptr<Kept> kept_;
    };
    [[nodiscard]] Lane lane();
    [[nodiscard]] Unit unit(Lane& lane);
    /// The step is PAUSED with this progress, and its pause is entered, if it has one of its own.
    PauseOpened rest_step(const StepClaim& claim, const StepRest& rest);
    /// The same of a partition.
    PauseOpened rest_partition(const StepClaim& partition, const StepRest& rest);
    /// Every branch rests. PAUSED and nobody's, if a pause is open; what was STARTED below it is PAUSED as committed.
    /// If none is open and its owner `hands_on`, it waits for a worker.
    Rested rest_execution(const Claim& claim, const std::optional<std::string>& job_exit_status, bool hands_on = false);
    /// rest_step, and rest_execution if that leaves it PAUSED, in one transaction. REQUIRES: nothing else of the
    /// execution runs, and the step has no partitions.
    RestedTogether rest_together(const StepClaim& claim, const StepRest& rest,
                                 const std::optional<std::string>& job_exit_status);
    /// The pause asked for from outside beyond which the execution went on last: its signals are for what is entered
    /// next. 0 = none.
    [[nodiscard]] std::int64_t outside_pause_of(JobExecutionId execution);
    /// The gates that nobody has opened: by signals, by a resume, or by time where that was asked for. Of each element
    /// that has had pauses behind it, those of the last execution that had any; an empty list if all were answered. One
    /// query.
    [[nodiscard]] std::map<std::string, std::vector<PauseBehind>> unanswered_pauses(JobInstanceId instance);
    /// Encoded StepPauses that partitions of the step asked for and that were not served, for an adopter.
    [[nodiscard]] std::vector<std::string> unserved_pauses_of(const StepClaim& step);
    /// What was sent to an entry of a step, in order of arrival.
    [[nodiscard]] std::vector<Signal> signals_for(JobExecutionId execution, const SignalSource& source);
    [[nodiscard]] std::int64_t count_signals_for(JobExecutionId execution, const SignalSource& source);
    /// The lazy copy for a step whose sink holds the truth; one transaction of its own.
    Requests save_progress(const StepClaim& claim, const Progress& progress, std::span<const Event> skipped = {});
    /// Command that adds to the journal within a Unit.
    void append(Unit& unit, const Claim& claim, std::span<const Event> events);
    void append(const Claim& claim, std::span<const Event> events);
    /// To be called before the sink holds a row of the instance, so that purge finds all of them. Writes if it is new.
    void record_sink(const Claim& claim, const SinkAddress& sink);
    [[nodiscard]] std::vector<SinkAddress> sinks_of(JobInstanceId instance);
    /// What the sink says that a StepExecution, or a partition of one (as in StepClaim), came to: its owner died before
    /// the copy was up to date. Nothing happens unless it has ended and the copy is behind.
    void settle_counts(StepExecutionId step, std::int64_t partition, const Progress& committed);
    // --- partitions of a step that was entered; owner verbs like the others
    /// One transaction, whatever the number: the plan of this StepExecution, before any of its partitions is entered.
    /// The number of partitions of an earlier StepExecution stays, and COMPLETED ones are not in the answer, unless
    /// `forget_earlier`; `generation` of the step rises then.
    StoredPlan store_plan(StepEntry& step, const PlanRequest& request);
    /// For an adopter: what store_plan stored; nothing if it was not called yet.
    [[nodiscard]] std::optional<StoredPlan> plan_of(const StepClaim& step);
    /// Fenced by the execution's epoch; raises the partition's own, which fences what follows.
    StepEntry enter_partition(const StepClaim& step, std::int64_t number, StepEntryMode mode);
    void end_partition(const StepClaim& partition, const PartitionEnd& end);
    /// Adds what a collector answered to the unit that commits chunk `sequence`; the same chunk again replaces it.
    void store_collected(Unit& unit, const StepClaim& partition, std::int64_t sequence, const std::string& data);
    /// The same in a transaction of its own, for a chunk whose sink is elsewhere.
    void store_collected(const StepClaim& partition, std::int64_t sequence, const std::string& data);
    [[nodiscard]] std::vector<CollectedData> collected_of(StepExecutionId step);
    /// In the order of their numbers. One query.
    [[nodiscard]] std::vector<PartitionExecution> partitions_of(StepExecutionId step);
    // --- partitions that workers claim. Each is an owned row: what its owner writes is fenced by its own epoch alone,
    // so it goes on while its execution changes hands. Whoever ends or pauses an execution without its owner takes all
    // of them away.
    /// Owns up to `most` partitions that wait, those that have waited longest, of one step that this worker serves and
    /// whose execution is STARTED. Nothing if there are none. Few statements, the same number for one and for twenty;
    /// more than that are not claimed at once. Throws Error(stale) as change_terms.
    [[nodiscard]] std::optional<ClaimedPartitions> claim_partitions(const Worker& worker, std::int64_t most);
    /// The same of one step, for the owner of its execution.
    [[nodiscard]] std::optional<ClaimedPartitions> claim_partitions_of(const StepClaim& step, const Worker& worker,
                                                                       std::int64_t most);
    /// Whether something waits that `worker`, who has claimed this partition, could run in its place: another one of
    /// the step, or whatever the worker serves. False if nobody would claim the partition again just now. One query.
    [[nodiscard]] bool others_wait(const StepClaim& partition, const Worker& worker);
    /// The partition waits again, behind all that wait now, and goes on from this progress with whoever claims it. It
    /// has neither died nor rested: nothing is told.
    void give_up_turn(const StepClaim& partition, const Progress& progress);
    /// What is asked of the execution. Throws Error(stale) if the partition is somebody else's by now, or has ended.
    [[nodiscard]] Requests poll_partition(const StepClaim& partition);
    /// Owner of the execution: from now on nobody claims partitions of the step, or somebody may again. Partitions that
    /// run go on.
    void offer_partitions(const StepClaim& step, bool offered);
    /// Owner of the execution: all partitions from `first` on that somebody has claimed so far, by number.
    [[nodiscard]] std::vector<PartitionNews> partition_news(StepExecutionId step, std::int64_t first);
    /// What the collectors of these partitions said after the sequence given for each; by partition, in order.
    [[nodiscard]] std::vector<CollectedData> collected_after(StepExecutionId step,
                                                             const std::map<std::int64_t, std::int64_t>& sequences);
    /// Partitions whose owner is proved dead are open to others, from their checkpoints. Answers how many.
    std::int64_t release_lost_partitions(const Worker& finder, const std::string& actor);
    /// As disown_unknown.
    std::vector<PartitionKey> disown_unknown_partitions(const Worker& worker, std::span<const PartitionKey> known,
                                                        const std::string& actor);
    /// Item-by-item mode: what is about to be tried. One transaction.
    void set_intent(const StepClaim& claim, const std::string& intent);

    // --- requests ------------------------------------------------------------------------------------------------
    StopAnswer request_stop(JobExecutionId execution, const StopRequest& request);
    PauseAnswer request_pause(JobExecutionId execution, const OutsidePause& request);
    /// Asks a step that runs to end while the job goes on. Its status stays: the owner ends it.
    StepStopAnswer request_step_stop(JobExecutionId execution, const StepStopRequest& request);
    SignalAnswer signal(JobExecutionId execution, const SignalRequest& request);
    /// Completes open pauses; if none is left of a PAUSED execution it is `worker`'s, STARTED, in the same transaction.
    ResumeAnswer resume(JobExecutionId execution, const ResumeRequest& request, Worker& worker);
    /// The same for who has let it rest: if nobody has owned it since, `rested` is entered in that transaction, too.
    ResumedInto resume_into(JobExecutionId execution, const ResumeRequest& request, Worker& worker,
                            const StepClaim& rested);
    /// The same for a worker: STARTING and nobody's.
    ResumeAnswer resume(JobExecutionId execution, const ResumeRequest& request);
    /// What deadlines and pauses demand of whoever opens the repository. One query.
    [[nodiscard]] bool has_duties();
    /// Ends pauses whose time is up, of PAUSED executions; answers those executions.
    std::vector<JobExecutionId> serve_deadlines(const std::string& actor);
    /// Pauses of PAUSED executions whose notification is to be sent by this process now: those that wait for it, and
    /// those of a process that died before it said it was done.
    std::vector<Notification> take_notifications();
    void notified(const Notification& notification);
    /// It failed: somebody tries again after a while, twice as long each time, an hour at most. The journal keeps
    /// "pause.notify_failed" with `pause`, `attempt`, `next` (RFC 3339) and `error`.
    void not_notified(const Notification& notification, const std::string& error);
    /// Answers the status it had: anything not running becomes ABANDONED; a running one is left alone.
    BatchStatus abandon(JobExecutionId execution, const std::string& actor);
    /// Proof about the owner of a running execution. Nothing if it is not running.
    [[nodiscard]] std::optional<LivenessEvidence> owner_liveness(JobExecutionId execution);
    [[nodiscard]] std::optional<WorkerRecord> owner_of(JobExecutionId execution);
    /// Takes over an execution whose owner is proved dead: epoch + 1, owned by `worker`, deaths counted; the same
    /// execution goes on. Nothing if it is not running or its owner is not proved dead.
    std::optional<Claim> adopt(JobExecutionId execution, Worker& worker, const std::string& actor);
    /// Marks an execution whose owner is proved dead FAILED (STOPPED if it was STOPPING) and raises the epochs of its
    /// unfinished steps. False if it is not running or its owner is not proved dead.
    bool fail_lost(JobExecutionId execution, const std::string& actor);
    /// A PAUSING execution whose owner is proved dead enters nothing: it is PAUSED as committed, or STARTING if no
    /// pause is open. False if it is not PAUSING or its owner is not proved dead.
    bool pause_lost(JobExecutionId execution, const std::string& actor);
    /// A running execution whose owner is proved dead goes on with a worker: STARTING; PAUSED if a pause is open,
    /// STOPPED if it was STOPPING. False if it is not running or its owner is not proved dead.
    bool release_lost(JobExecutionId execution, const std::string& actor);

    // --- queries: none waits for a chunk that is being written -----------------------------------------------------
    [[nodiscard]] std::optional<JobExecution> find_execution(JobExecutionId execution);
    [[nodiscard]] std::vector<JobExecution> find_executions(const ExecutionFilter& filter);  ///< newest first
    [[nodiscard]] std::optional<JobExecutionId> latest(const std::optional<std::string>& job_name);
    [[nodiscard]] std::optional<JobInstance> find_instance(JobInstanceId instance);
    [[nodiscard]] std::optional<JobInstance> find_instance(const std::string& job_name, const std::string& key);
    [[nodiscard]] std::vector<JobInstance> instances_of(const std::string& job_name, std::int64_t start,
                                                        std::int64_t count);
    [[nodiscard]] std::int64_t instance_count(const std::string& job_name);
    [[nodiscard]] std::vector<std::string> job_names();
    [[nodiscard]] std::vector<StepExecution> steps_of(JobExecutionId execution);
    [[nodiscard]] std::optional<StepExecution> find_step(StepExecutionId step);
    [[nodiscard]] std::optional<StoredDefinition> definition_of(JobInstanceId instance);
    /// Steps that somebody has asked to stop alone, in all executions of the instance, oldest first.
    [[nodiscard]] std::vector<StepCut> cuts_of(JobInstanceId instance);
    [[nodiscard]] std::vector<Pause> pauses_of(JobExecutionId execution, std::int64_t limit);  ///< newest first
    [[nodiscard]] std::vector<PauseSummary> pause_summary(JobExecutionId execution);           ///< by point
    /// What was sent to points that were not reached yet, oldest first.
    [[nodiscard]] std::vector<Signal> buffered_signals_of(JobExecutionId execution, std::int64_t limit);
    [[nodiscard]] std::vector<Event> events_of(JobExecutionId execution, std::string_view kind_prefix,
                                               std::int64_t limit);
    [[nodiscard]] std::vector<Event> events_after(std::int64_t event_id, std::int64_t limit);

    // --- housekeeping ----------------------------------------------------------------------------------------------
    PurgeResult purge(const PurgeFilter& filter);
    /// The invariants of the store; empty = all hold, else one line each, naming rows.
    [[nodiscard]] std::vector<std::string> verify();
    /// Statements executed by this object so far, for tests.
    [[nodiscard]] std::int64_t statement_count();

private:
    void open(bool create);

    struct Impl;
    std::unique_ptr<sql::Database> database_;
    std::filesystem::path data_folder_;
    std::unique_ptr<Impl> impl_;
};

}  // namespace fermata
