#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <cstdio>
#include <utility>
#include <vector>

#include "progress_displays.hpp"
#include "terminal.hpp"

namespace fermata::cli {

namespace {

using Steady = std::chrono::steady_clock;

/// Repaints a few lines in place; never more than the window has, so that moving up always finds them.
class TerminalProgress final : public ProgressDisplay {
public:
    TerminalProgress(std::string job_name, std::string hint, Style style)
        : job_name_(std::move(job_name)), hint_(std::move(hint)), style_(style), began_(Steady::now()) {}
    ~TerminalProgress() override { clear(); }

    void update(const RunningJob& job) override {
        const auto window = window_size(STDERR_FILENO);
        auto lines = paint(job, static_cast<std::size_t>(std::max(2, window.rows - 2)));
        std::string text = up();
        for (const auto& line : lines) text += cut(line, static_cast<std::size_t>(window.columns)) + "\x1b[K\n";
        text += "\x1b[J";
        write(text);
        painted_ = lines.size();
    }
    void clear() override {
        if (painted_ == 0) return;
        write(up() + "\x1b[J");
        painted_ = 0;
    }
    void hint(std::string_view text) override { hint_ = text; }
    void finish(const JobExecution&) override { clear(); }

private:
    static void write(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stderr); }
    [[nodiscard]] std::string up() const {
        return painted_ == 0 ? std::string("\r") : fmt::format("\r\x1b[{}A", painted_);
    }
    /// Cuts plain text to the width; lines of the display carry no colour beyond their mark.
    static std::string cut(const std::string& line, std::size_t columns) {
        if (width_of(line) < columns) return line;
        std::string kept;
        std::size_t width = 0;
        for (const char c : line) {
            if ((static_cast<unsigned char>(c) & 0xC0U) != 0x80U && ++width >= columns) break;
            kept += c;
        }
        return kept;
    }

    std::vector<std::string> paint(const RunningJob& job, std::size_t most) {
        const auto elapsed = std::chrono::duration_cast<Duration>(Steady::now() - began_);
        std::vector<std::string> lines{fmt::format("{} #{}  {} {} {}   {}", printable(job_name_), job.id.value(),
                                                   style_.mark_running(), to_string(job.status), to_human(elapsed),
                                                   hint_)};
        for (const auto& step : job.steps)
            if (!step.ended && !step.passed && lines.size() < most) lines.push_back(running_line(step));
        for (std::size_t i = 0; i < job.ahead.size(); ++i) {
            if (lines.size() + 1 >= most && i + 1 < job.ahead.size()) {
                lines.push_back(fmt::format("  {} {} more", style_.mark_ahead(), job.ahead.size() - i));
                break;
            }
            lines.push_back(fmt::format("  {} {}", style_.mark_ahead(), printable(job.ahead[i])));
        }
        return lines;
    }
    std::string running_line(const RunningStep& step) {
        const double rate = rate_.sample(step);
        std::string line = fmt::format("  {} {}", style_.mark_running(), pad(printable(step.name), 12));
        if (const auto counts = counts_text(step.metrics); !counts.empty()) line += "  " + counts;
        if (rate > 0) line += "   " + rate_text(rate);
        if (step.fraction >= 0) line += "  " + bar(step.fraction) + eta_text(step, Clock::system().now());
        return line;
    }
    [[nodiscard]] std::string bar(double fraction) const {
        constexpr int width = 10;
        const auto full = static_cast<int>(std::clamp(fraction, 0.0, 1.0) * width);
        std::string text;
        for (int i = 0; i < width; ++i) text += i < full ? (style_.ascii ? "#" : "█") : (style_.ascii ? "." : "░");
        return fmt::format("{} {:.0f}%", text, std::clamp(fraction, 0.0, 1.0) * 100);
    }
    std::string job_name_;
    std::string hint_;
    Style style_;
    Steady::time_point began_;
    std::size_t painted_ = 0;
    Rate rate_;
};

}  // namespace

std::unique_ptr<ProgressDisplay> make_terminal_progress(std::string job_name, std::string hint, const Style& style) {
    return std::make_unique<TerminalProgress>(std::move(job_name), std::move(hint), style);
}

}  // namespace fermata::cli
