#pragma once
// An execution that runs in this process: shown while it runs, stopped by Ctrl-C, its outcome the exit code.
#include <fermata/model/records.hpp>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "exit_code.hpp"
#include "interrupts.hpp"
#include "session.hpp"

namespace fermata::cli {

/// Made before the operator starts any thread; one a process.
class Foreground {
public:
    explicit Foreground(Session& session);

    /// Follows `execution`, running here, to its end; prints the report. A second Ctrl-C ends the process; what is
    /// PAUSED already stays so, though its notification is still being sent. What is written to the log of `heard`, a
    /// step, is passed on to stderr as it comes.
    JobExecution follow(JobExecutionId execution, const std::optional<std::string>& heard = {});
    /// As below; but who interrupted twice did not want to know.
    ExitCode conclude(const JobExecution& execution);
    /// Sleeps; false if interrupted meanwhile.
    bool pause(Duration duration);
    [[nodiscard]] bool interrupted() const noexcept { return signals_.load() > 0; }

private:
    class Voice;
    void on_signal(int count);
    void say(std::string line);
    JobExecution follow_to_end(JobExecutionId id, const std::optional<std::string>& heard);
    Session& session_;
    std::atomic<JobOperator*> jobs_{nullptr};
    std::atomic<JobExecutionId> followed_{};
    std::atomic<int> signals_{0};
    std::mutex mutex_;
    std::condition_variable changed_;
    bool has_display_ = false;       ///< which must be taken away before anybody else writes
    std::vector<std::string> said_;  ///< meanwhile
    Interrupts interrupts_;
};

/// Once it has ended or rests, on stderr: notifications that failed, a pause that was asked for and not served.
void tell_of_pauses(Session& session, const JobExecution& execution);

/// What the verb ends with: `-o json` gets the whole object on stdout.
ExitCode conclude(Session& session, const JobExecution& execution);

}  // namespace fermata::cli
