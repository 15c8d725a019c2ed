#include "progress.hpp"

#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "progress_displays.hpp"
#include "terminal.hpp"

namespace fermata::cli {

namespace {

class NoProgress final : public ProgressDisplay {
public:
    void update(const RunningJob&) override {}
    void finish(const JobExecution&) override {}
};

bool wants_terminal(const std::string& setting) {
    if (setting != "auto") return setting == "tty";
    const char* term = std::getenv("TERM");
    return is_terminal(STDERR_FILENO) && term != nullptr && std::strcmp(term, "dumb") != 0;
}

}  // namespace

std::unique_ptr<ProgressDisplay> make_progress(const Settings& settings, const Style& style, std::string job_name,
                                               std::string hint) {
    const std::string& setting = settings.get("progress").value;
    if (setting == "none") return std::make_unique<NoProgress>();
    if (wants_terminal(setting)) return make_terminal_progress(std::move(job_name), std::move(hint), style);
    return make_plain_progress(std::move(job_name));
}

}  // namespace fermata::cli
