#include "foreground.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/text.hpp>
#include <fermata/runtime/step_log_path.hpp>

#include <cstdio>
#include <cstdlib>

#include "execution_view.hpp"
#include "log_file.hpp"
#include "notifications.hpp"
#include "progress.hpp"
#include "report.hpp"
#include "step_lines.hpp"
#include "terminal.hpp"

namespace fermata::cli {

namespace {

constexpr Duration repaint_interval = std::chrono::milliseconds(100);
/// How long a killed execution may take to record its end before the process goes without it.
constexpr Duration kill_grace = std::chrono::seconds(2);

/// What rests is PAUSED already: only its notifications are being sent.
bool rests(JobOperator& jobs, JobExecutionId id) {
    const auto job = jobs.running(id);
    return job && job->status == BatchStatus::paused;
}

std::string_view hint_of(const RunningJob& job, bool interrupted) {
    if (job.status == BatchStatus::paused)
        return interrupted ? "its notification is being sent; Ctrl-C: leave it" : "its notification is being sent";
    return interrupted ? "Ctrl-C: kill" : "Ctrl-C: stop at next checkpoint";
}

[[noreturn]] void leave_killed(JobExecutionId id, bool rests) {
    Output::note(rests ? fmt::format("fermata: {} stays PAUSED; whoever runs fermata next sends its notification again",
                                     id.value())
                       : fmt::format("fermata: killed; fermata recover {} goes on where it was", id.value()));
    std::fflush(stdout);
    ::_exit(static_cast<int>(ExitCode::interrupted));
}

/// What a step's command writes, above the display.
class Listening {
public:
    Listening(std::filesystem::path log, ProgressDisplay& display) : log_(std::move(log)), display_(display) {}
    void pass_on() { log_.take_new(print_); }
    void pass_on_all() {
        log_.take_new(print_);
        log_.take_rest(print_);
    }

private:
    LogFile log_;
    ProgressDisplay& display_;
    bool safe_ = is_terminal(STDERR_FILENO);
    LogFile::Take print_ = [this](std::string_view line) {
        display_.clear();
        if (safe_)
            Output::note(line);
        else
            Output::note_raw(line);
    };
};

}  // namespace

void tell_of_pauses(Session& session, const JobExecution& execution) {
    tell_of_notifications(session, execution);
    if (const std::string unserved = unserved_text(unserved_pauses(session, execution)); !unserved.empty())
        Output::note("fermata: " + unserved);
}

Foreground::Foreground(Session& session) : session_(session), interrupts_([this](int count) { on_signal(count); }) {
    jobs_ = &session.jobs();
}

void Foreground::on_signal(int count) {
    JobOperator* jobs = jobs_.load();
    if (jobs == nullptr || count > 2) ::_exit(static_cast<int>(ExitCode::interrupted));
    const JobExecutionId followed = followed_.load();
    const bool is_resting = rests(*jobs, followed);
    if (!is_resting)
        say(count == 1 ? "fermata: stopping at the next checkpoint; once more kills" : "fermata: killing");
    else if (count == 1)
        say(fmt::format("fermata: {} is PAUSED, and stays so; its notification is being sent; once more leaves it",
                        followed.value()));
    {
        const std::lock_guard lock(mutex_);
        signals_ = count;  // before: an execution that interrupt() does not know yet sees it in follow()
        changed_.notify_all();
    }
    if (!is_resting) jobs->interrupt(count == 2);
}

void Foreground::say(std::string line) {
    const std::lock_guard lock(mutex_);
    if (has_display_)
        said_.push_back(std::move(line));
    else
        Output::note(line);
}

/// Of whoever interrupts, while there is a display: heard between two of its pictures, and at its end at the latest.
class Foreground::Voice {
public:
    Voice(Foreground& all, ProgressDisplay& display) : all_(all), display_(display) { set(true); }
    ~Voice() {
        set(false);
        pass_on();
    }
    Voice(const Voice&) = delete;
    Voice& operator=(const Voice&) = delete;
    void pass_on() {
        const std::lock_guard lock(all_.mutex_);
        if (!all_.said_.empty()) display_.clear();
        for (const std::string& line : all_.said_) Output::note(line);
        all_.said_.clear();
    }

private:
    void set(bool has_display) {
        const std::lock_guard lock(all_.mutex_);
        all_.has_display_ = has_display;
    }
    Foreground& all_;
    ProgressDisplay& display_;
};

bool Foreground::pause(Duration duration) {
    std::unique_lock lock(mutex_);
    return !changed_.wait_for(lock, duration, [this] { return signals_.load() > 0; });
}

/// Its own log may say nothing: what it would be said to is what is gone.
JobExecution Foreground::follow(JobExecutionId id, const std::optional<std::string>& heard) try {
    return follow_to_end(id, heard);
} catch (const Error& error) {
    if (error.kind() != ErrorKind::unreachable) throw;
    throw Error(error.kind(), fmt::format("execution {}: {}", id.value(), error.what()),
                fmt::format("{}\nfermata restart {} goes on where it was", error.remedy(), id.value()));
}

JobExecution Foreground::follow_to_end(JobExecutionId id, const std::optional<std::string>& heard) {
    JobOperator& jobs = *jobs_.load();
    Output& out = session_.out();
    followed_ = id;
    if (interrupted()) jobs.interrupt(false);  // came while it was being started
    const JobExecution begun = session_.execution(id);
    if (prints_report(out)) out.write(header_line(begun, out.style()));
    if (out.format() == Format::name) out.write(fmt::format("{}\n", id.value()));
    out.push();

    const auto display = make_progress(
        session_.settings(), style_for(STDERR_FILENO, session_.settings(), out.style().ascii), begun.job_name, {});
    Voice voice(*this, *display);
    StepLines lines(out, *display);
    std::optional<Listening> listening;
    if (heard) listening.emplace(step_log_path(session_.data_folder(), id, *heard), *display);
    const auto show = [&](const RunningJob& job) {
        if (listening) listening->pass_on();
        voice.pass_on();
        lines.print_ended(job);
        display->hint(hint_of(job, interrupted()));
        display->update(job);
    };
    std::optional<JobExecution> ended;
    while (!ended) {
        const bool killed = signals_.load() >= 2;
        const bool resting = rests(jobs, id);
        voice.pass_on();
        ended = jobs.wait(id, !killed ? repaint_interval : resting ? Duration{} : kill_grace);
        if (killed && !ended) {
            display->clear();
            leave_killed(id, resting);
        }
        if (const auto job = jobs.running(id); job && !ended) show(*job);
    }
    if (listening) listening->pass_on_all();
    const auto last = jobs.running(id);
    const RunningJob all = last ? *last : snapshot_of(session_.repository(), *ended);
    show(all);
    display->finish(*ended);
    std::int64_t skips = 0;
    for (const auto& step : all.steps) skips += skipped(step.metrics);
    if (prints_report(out)) out.write(closing_lines(*ended, actions_of(session_, *ended), skips, out.style()));
    tell_of_pauses(session_, *ended);
    return *ended;
}

ExitCode Foreground::conclude(const JobExecution& execution) {
    const ExitCode outcome = cli::conclude(session_, execution);
    return signals_.load() >= 2 ? ExitCode::interrupted : outcome;
}

ExitCode conclude(Session& session, const JobExecution& execution) {
    if (session.out().wants_json()) session.out().write(to_json(view_of(session, execution), true) + "\n");
    return exit_code_of(execution.status);
}

}  // namespace fermata::cli
