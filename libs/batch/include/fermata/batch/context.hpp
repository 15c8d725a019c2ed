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

class StepContext {
public:
    std::string step_name;
    StepExecutionId step_execution_id;
    std::optional<std::int64_t> partition;  ///< from 0; nothing outside of partitions
    Properties properties;
    BatchStatus batch_status = BatchStatus::starting;
    std::optional<std::string> exit_status;
    std::optional<std::string> persistent_user_data;  ///< saved with every chunk commit and at step end
    std::any transient_user_data;
    std::exception_ptr exception;  ///< last one a step artifact threw
    Metrics metrics;               ///< committed so far
    std::int64_t epoch = 0;        ///< fencing number of this entry, for sinks of one's own
    JobContext* job = nullptr;
    StepLog* log = nullptr;
    const StopSignal* stop = nullptr;
    const sql::Drivers* drivers = nullptr;  ///< for artifacts that open databases by URL
    int owner_fd = -1;                      ///< the owner file's descriptor, inherited by guarded children

    /// May be called from any thread.
    [[nodiscard]] bool stop_requested() const noexcept { return stop != nullptr && stop->requested(); }
    /// `path` if absolute, else below the instance's working directory.
    [[nodiscard]] std::filesystem::path resolve_path(const std::filesystem::path& path) const {
        return path.is_absolute() ? path : job->working_directory / path;
    }
};

/// Given to the constructor of an artifact that wants it; otherwise the default constructor is used.
struct ArtifactContext {
    const Properties& properties;
    StepContext* step = nullptr;  ///< null for job listeners
    JobContext& job;
};

}  // namespace fermata
