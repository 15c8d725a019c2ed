#include "../await.hpp"
#include "../command.hpp"
#include "../json_text.hpp"
#include "../session.hpp"
#include "../terminal.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/file.hpp>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <array>
#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <thread>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(What the steps and their commands wrote. With several steps each line begins with its step's name.
-o json and -o jsonl print one object a line.
)";

namespace fs = std::filesystem;

/// Where the last `lines` lines of a text begin.
std::size_t tail_of(std::string_view text, std::int64_t lines) {
    std::size_t end = text.ends_with('\n') ? text.size() - 1 : text.size();
    for (; lines > 0; --lines) {
        const auto feed = end == 0 ? text.npos : text.rfind('\n', end - 1);
        if (feed == text.npos) return 0;
        end = feed;
    }
    return std::min(end + 1, text.size());
}

/// One file, read on from where it was left; gives whole lines, and what is left at the end.
class LogFile {
public:
    LogFile(fs::path path, std::string step, bool tells_step)
        : path_(std::move(path)),
          step_(std::move(step)),
          prefix_(tells_step ? fmt::format("[{}] ", printable(step_)) : "") {}

    void print_new(Output& out, bool safe) {
        std::error_code error;
        if (!file_ && fs::exists(path_, error)) file_ = File::open(path_, O_RDONLY);
        if (!file_) return;
        std::array<char, 65536> buffer;
        for (ssize_t got = 0; (got = ::read(file_.fd(), buffer.data(), buffer.size())) > 0;) {
            pending_.append(buffer.data(), static_cast<std::size_t>(got));
            print_lines(out, safe);
        }
    }
    void print_rest(Output& out, bool safe) {
        if (!pending_.empty()) print_line(out, pending_, safe);
        pending_.clear();
    }
    /// Moves to the last `lines` lines.
    void skip_to_tail(std::int64_t lines) {
        if (!fs::exists(path_)) return;
        const std::string all = read_file(path_, 1ULL << 40);
        file_ = File::open(path_, O_RDONLY);
        ::lseek(file_.fd(), static_cast<off_t>(tail_of(all, lines)), SEEK_SET);
    }

private:
    void print_lines(Output& out, bool safe) {
        std::size_t from = 0;
        for (auto feed = pending_.find('\n'); feed != std::string::npos; feed = pending_.find('\n', from)) {
            print_line(out, std::string_view(pending_).substr(from, feed - from), safe);
            from = feed + 1;
        }
        pending_.erase(0, from);
    }
    void print_line(Output& out, std::string_view line, bool safe) const {
        if (out.wants_json()) return out.write(object_of(line) + "\n");
        out.write(fmt::format("{}{}\n", prefix_, safe ? printable(line, line.size() * 4) : std::string(line)));
    }
    [[nodiscard]] std::string object_of(std::string_view line) const {
        const nlohmann::ordered_json object{{"step", step_}, {"line", line}};
        return json_text(object);
    }
    fs::path path_;
    std::string step_;
    std::string prefix_;
    File file_;
    std::string pending_;
};

class LogsCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.positional("STEP", step_, "Only this step");
        options.flag("-f,--follow", follow_, "Until the execution ends");
        options.value("--tail", "N", tail_, "Only the last lines of each");
    }
    ExitCode run(Session& session) override;

private:
    void look(Session& session, JobExecutionId id);
    ExecutionRef execution_;
    std::optional<std::string> step_;
    bool follow_ = false;
    std::optional<std::int64_t> tail_;
    std::map<std::string, LogFile> files_;
    std::vector<std::string> order_;
};

/// Takes in steps entered since the last look.
void LogsCommand::look(Session& session, JobExecutionId id) {
    const auto folder = session.data_folder() / "logs" / std::to_string(id.value());
    const auto steps = session.repository().steps_of(id);
    for (const auto& step : steps) {
        if ((step_ && step.name != *step_) || files_.contains(step.name)) continue;
        const bool several = !step_ && (steps.size() > 1 || follow_);
        auto& file =
            files_.emplace(step.name, LogFile(folder / (step.name + ".log"), step.name, several)).first->second;
        if (tail_) file.skip_to_tail(*tail_);
        order_.push_back(step.name);
    }
}

ExitCode LogsCommand::run(Session& session) {
    const JobExecutionId id = session.resolve(execution_);
    const bool safe = is_terminal(STDOUT_FILENO);
    for (;;) {
        const bool ended = !is_running(session.execution(id).status) || is_forsaken(session, session.execution(id));
        look(session, id);
        if (step_ && files_.empty() && (ended || !follow_))
            throw Error(ErrorKind::not_found,
                        fmt::format("execution {} has not entered a step \"{}\"", id.value(), printable(*step_)),
                        fmt::format("fermata show {}", id.value()));
        for (const auto& name : order_) files_.at(name).print_new(session.out(), safe);
        session.out().flush();
        if (ended || !follow_) break;
        std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    for (const auto& name : order_) files_.at(name).print_rest(session.out(), safe);
    return ExitCode::ok;
}

}  // namespace

const Descriptor logs_command{.name = "logs",
                              .group = "Looking",
                              .about = "What the steps of an execution wrote",
                              .help = help,
                              .formats = one_a_line,
                              .make = make_command<LogsCommand>};

}  // namespace fermata::cli
