#pragma once
// One row's worth of truth each: what the repository stores and everybody prints. Plain values.
#include <fermata/base/clock.hpp>
#include <fermata/base/id.hpp>
#include <fermata/model/expression.hpp>
#include <fermata/model/pause.hpp>
#include <fermata/model/status.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace fermata {

using JobInstanceId = Id<struct JobInstanceTag>;
using JobExecutionId = Id<struct JobExecutionTag>;
using StepExecutionId = Id<struct StepExecutionTag>;

/// Jakarta Batch §10.9.3, in items except commits and rollbacks. Of committed chunks only (rollbacks excepted), so that
/// read == written + filtered + process_skips + write_skips at every commit (read_skips are not part of read).
struct Metrics {
    std::int64_t read = 0;
    std::int64_t written = 0;
    std::int64_t filtered = 0;
    std::int64_t read_skips = 0;
    std::int64_t process_skips = 0;
    std::int64_t write_skips = 0;
    std::int64_t commits = 0;
    std::int64_t rollbacks = 0;
    bool operator==(const Metrics&) const = default;
};

/// An opaque position an artifact gave and gets back at open; nothing = from the beginning.
using CheckpointData = std::optional<std::string>;

/// Everything a chunk commit saves, always together. Monotone in (generation, sequence).
struct Progress {
    std::int64_t generation = 0;  ///< rises when the step is started again from the beginning
    std::int64_t sequence = 0;    ///< committed chunks of this generation, over all executions
    Metrics metrics;              ///< of the present StepExecution
    CheckpointData reader;
    CheckpointData writer;
    CheckpointData side_outputs;  ///< listeners with output of their own (rejectFile), a JSON object by position
    std::int64_t skips_used = 0;
    std::int64_t retries_used = 0;
    std::int64_t replay_left = 0;          ///< items still to be redone one by one after a retry with rollback
    std::optional<std::string> user_data;  ///< persistent user data (§9.4.2), opaque bytes
    std::optional<std::string> exit_status;
    bool exhausted = false;            ///< the reader has ended
    bool publishing = false;           ///< all chunks committed; the writer's files are being put in place
    std::optional<std::string> pause;  ///< an encoded StepPause: asked for by the step, not yet served
    bool operator==(const Progress&) const = default;
};
/// Compact and stable, for the sink's table; throws Error(refused) "checkpoint unreadable" on anything else.
[[nodiscard]] std::string encode(const Progress& progress);
[[nodiscard]] Progress decode_progress(std::string_view text);

struct JobInstance {
    JobInstanceId id;
    std::string uuid;
    std::string job_name;
    std::optional<std::string> key;
    std::string definition_hash;
    std::string working_directory;  ///< relative paths of the job mean this folder, for ever
    Timestamp created;
};

/// Why something failed, as `show` prints it.
struct Failure {
    std::string error_class;  ///< registered name, "fermata.ParseError"
    std::string message;
    std::string step;      ///< empty at job level
    std::string position;  ///< "vendors.csv:612", may be empty
};

struct JobExecution {
    JobExecutionId id;
    JobInstanceId instance_id;
    std::string job_name;
    std::optional<std::string> instance_key;
    BatchStatus status{};
    std::optional<std::string> exit_status;
    Timestamp created;
    std::optional<Timestamp> started;
    std::optional<Timestamp> ended;
    Timestamp updated;
    std::optional<JobExecutionId> restart_of;
    std::optional<std::string> restart_from;  ///< `stop restart=`: where the next restart begins
    std::optional<Failure> failure;
    std::int64_t epoch = 0;
    std::optional<std::int64_t> owner;  ///< worker row
    bool owner_lost = false;            ///< running, and its owner is proved dead (computed when read)
    std::optional<std::string> stop_requested_by;
    std::optional<Timestamp> stop_requested_at;
    bool stop_now = false;
    std::int64_t pauses = 0;   ///< the newest pause epoch
    std::vector<Pause> waits;  ///< open pauses of what is PAUSING or PAUSED, oldest first
    Parameters parameters;     ///< secrets as their reference
};

struct StepExecution {
    StepExecutionId id;
    JobExecutionId execution_id;
    std::string name;
    BatchStatus status{};
    std::optional<std::string> exit_status;
    std::optional<Timestamp> started;
    std::optional<Timestamp> ended;
    Metrics metrics;  ///< live while it runs
    std::optional<Failure> failure;
    std::optional<std::string> user_data;
    std::optional<std::int64_t> partitions;  ///< of a partitioned step, once its plan is known
};

/// One line of the append-only journal.
struct Event {
    std::int64_t id = 0;
    Timestamp at;
    std::optional<JobExecutionId> execution;
    std::string kind;   ///< "execution.started", "step.completed", "stop.requested", "item.skipped"…
    std::string actor;  ///< "user@host pid N", or "runtime"
    std::string data;   ///< a JSON object
};

}  // namespace fermata
