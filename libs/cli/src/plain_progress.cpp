#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <map>
#include <utility>

#include "execution_view.hpp"
#include "progress_displays.hpp"

namespace fermata::cli {

namespace {

using Steady = std::chrono::steady_clock;

class PlainProgress final : public ProgressDisplay {
public:
    explicit PlainProgress(std::string job_name) : job_name_(std::move(job_name)) {}

    void update(const RunningJob& job) override {
        const auto now = Steady::now();
        const bool heartbeat = now - last_ >= std::chrono::seconds(30);
        for (const auto& step : job.steps) {
            const double rate = step.ended ? 0 : rate_.sample(step);
            auto [known, is_new] = seen_.try_emplace(step.name + "#" + std::to_string(step.id.value()), step.status);
            if (!is_new && known->second == step.status && !(heartbeat && is_running(step.status))) continue;
            known->second = step.status;
            print(job.id, step, rate);
            last_ = now;
        }
    }

    void finish(const JobExecution& execution) override {
        std::string line = fmt::format("{} duration={}", prefix(execution.id),
                                       to_human(duration_of(execution.started, execution.ended)));
        line += fmt::format(" status={}", to_string(execution.status));
        if (execution.failure)
            line += fmt::format(" step={} reason={}", word(execution.failure->step),
                                quoted(printable(execution.failure->message, 1000)));
        Output::note(line);
    }

private:
    [[nodiscard]] std::string prefix(JobExecutionId id) const {
        return fmt::format("{} job={} execution={}", to_rfc3339(Clock::system().now()), word(job_name_), id.value());
    }
    static std::string quoted(std::string text) {
        for (auto at = text.find('"'); at != std::string::npos; at = text.find('"', at + 2)) text.insert(at, "\\");
        return fmt::format(R"("{}")", text);
    }
    /// A value that does not look like the next key.
    static std::string word(const std::string& value) {
        const std::string text = printable(value);
        return text.empty() || text.find_first_of(" \"=") != std::string::npos ? quoted(text) : text;
    }
    void print(JobExecutionId id, const RunningStep& step, double rate) {
        std::string line = fmt::format("{} step={} status={}", prefix(id), word(step.name), to_string(step.status));
        if (step.passed) line += " passed=true";
        if (step.ended) line += fmt::format(" duration={}", to_human(*step.ended - step.started));
        if (step.metrics.read != 0 || step.metrics.commits != 0)
            line += fmt::format(" read={} written={} skipped={}", step.metrics.read, step.metrics.written,
                                skipped(step.metrics));
        if (rate > 0) line += fmt::format(" rate={:.0f}/s", rate);
        if (step.ended && step.exit_status) line += fmt::format(" exit={}", word(*step.exit_status));
        Output::note(line);
    }

    std::string job_name_;
    std::map<std::string, BatchStatus> seen_;
    Steady::time_point last_ = Steady::now();
    Rate rate_;
};

}  // namespace

std::unique_ptr<ProgressDisplay> make_plain_progress(std::string job_name) {
    return std::make_unique<PlainProgress>(std::move(job_name));
}

}  // namespace fermata::cli
