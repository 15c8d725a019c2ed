#pragma once
// What an artifact may know and change about the job and step it runs in (Jakarta Batch §9.4.1, §9.4.2). One context a
// thread of the step; not thread-safe except where it says so.
#include <fermata/base/stop_signal.hpp>
#include <fermata/batch/properties.hpp>
#include <fermata/model/records.hpp>

#include <any>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

namespace sql {
class Drivers;
}

class JobContext {
public:
    std::string job_name;
    JobInstanceId instance_id;
    std::string instance_uuid;
    JobExecutionId execution_id;
    Properties properties;  ///< job-level ones only
    Parameters parameters;
    BatchStatus batch_status = BatchStatus::starting;
    std::optional<std::string> exit_status;   ///< last writer wins; nothing = the batch status at the end
    std::any transient_user_data;             ///< never stored
    std::filesystem::path working_directory;  ///< relative paths of the job mean this folder
    std::string repository_url;               ///< for children
    std::filesystem::path data_folder;        ///< the repository's folder beside it: owner files, logs
    bool accept_input = false;  ///< `restart --accept-input`: input may have changed behind the checkpoint
};

/// Writes to the step's log file (logs/<execution>/<step>.log), which `fermata logs` shows. Thread-safe.
class StepLog {
public:
    virtual ~StepLog() = default;
    virtual void line(std::string_view text) = 0;
    /// A descriptor children may write to; -1 if there is no log.
    [[nodiscard]] virtual int fd() const noexcept = 0;
};

/// What the runtime knows about waiting. Thread-safe.
class Waits {
public:
    virtual ~Waits() = default;
    [[nodiscard]] virtual bool pause_requested() const noexcept = 0;
    [[nodiscard]] virtual std::vector<Signal> signals() const = 0;
    [[nodiscard]] virtual std::int64_t signal_count() const = 0;
};

/// What artifacts set as the exit status of a step, an optional like any other; and whether they did after a stop was
/// asked for: of a step that is stopped alone, only that is its exit status.
class StepExitStatus : public std::optional<std::string> {
public:
    template <class Status>
    StepExitStatus& operator=(Status&& status) {
        optional::operator=(std::forward<Status>(status));
        set_after_stop_ = stop_ != nullptr && stop_->requested();
        return *this;
    }
    [[nodiscard]] bool set_after_stop() const noexcept { return set_after_stop_; }

    // --- for the runtime
    void watch(const StopSignal& stop) noexcept { stop_ = &stop; }
    /// What was saved with the last chunk.
    void restore(const std::optional<std::string>& status) { optional::operator=(status); }

private:
    const StopSignal* stop_ = nullptr;
    bool set_after_stop_ = false;
};

class StepContext {
public:
    std::string step_name;
    StepExecutionId step_execution_id;
    std::optional<std::int64_t> partition;  ///< from 0; nothing outside of partitions
    Properties properties;
    BatchStatus batch_status = BatchStatus::starting;
    StepExitStatus exit_status;
    /// Saved with every chunk commit and at step end, however it ends. A rollback does not set it back.
    std::optional<std::string> persistent_user_data;
    std::any transient_user_data;
    std::exception_ptr exception;  ///< last one a step artifact threw
    Metrics metrics;               ///< committed so far
    std::int64_t epoch = 0;        ///< fencing number of this entry, for sinks of one's own
    JobContext* job = nullptr;
    StepLog* log = nullptr;
    const StopSignal* stop = nullptr;
    const sql::Drivers* drivers = nullptr;  ///< for artifacts that open databases by URL
    int owner_fd = -1;                      ///< the owner file's descriptor, inherited by guarded children
    std::optional<StepPause> pause_asked;   ///< saved with the chunk; gone with one that is rolled back
    const Waits* waits = nullptr;

    /// The step rests at the natural end of the chunk, or when the batchlet has returned, and is entered again once the
    /// pause is complete. An empty point is the step's name. Throws Error(invalid) for fewer than one signal.
    void pause(PauseRequest what) { ask_pause({std::move(what), false}); }
    /// The step goes on to its end; then the job pauses.
    void pause_after(PauseRequest what) { ask_pause({std::move(what), true}); }
    /// Somebody has asked the execution to pause: a long batchlet may return early. From any thread.
    [[nodiscard]] bool pause_requested() const noexcept { return waits != nullptr && waits->pause_requested(); }
    /// What was sent to the pause before this entry, in order of arrival; reads the repository.
    [[nodiscard]] std::vector<Signal> signals() const {
        return waits == nullptr ? std::vector<Signal>() : waits->signals();
    }
    [[nodiscard]] std::int64_t signal_count() const { return waits == nullptr ? 0 : waits->signal_count(); }

    /// May be called from any thread.
    [[nodiscard]] bool stop_requested() const noexcept { return stop != nullptr && stop->requested(); }
    /// `path` if absolute, else below the instance's working directory.
    [[nodiscard]] std::filesystem::path resolve_path(const std::filesystem::path& path) const {
        return path.is_absolute() ? path : job->working_directory / path;
    }

private:
    void ask_pause(StepPause asked) {
        if (asked.what.point.empty()) asked.what.point = step_name;
        if (asked.what.signals < 1)
            throw Error(
                ErrorKind::invalid,
                "a pause of step \"" + step_name + "\" asks for " + std::to_string(asked.what.signals) + " signals",
                "it needs at least one");
        pause_asked = std::move(asked);
    }
};

/// Given to the constructor of an artifact that wants it; otherwise the default constructor is used.
struct ArtifactContext {
    const Properties& properties;
    StepContext* step = nullptr;  ///< null for job listeners
    JobContext& job;
};

}  // namespace fermata
