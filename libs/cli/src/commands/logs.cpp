#include "../await.hpp"
#include "../command.hpp"
#include "../json_text.hpp"
#include "../log_file.hpp"
#include "../session.hpp"
#include "../terminal.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <fermata/base/text.hpp>
#include <fermata/runtime/step_log_path.hpp>

#include <chrono>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <thread>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(What the steps and their commands wrote. With several steps each line begins with its step's name.
-o json and -o jsonl print one object a line.
)";

/// What is written of one step.
class StepLog {
public:
    StepLog(const std::filesystem::path& path, std::string step, bool tells_step)
        : file_(path), step_(std::move(step)), prefix_(tells_step ? fmt::format("[{}] ", printable(step_)) : "") {}

    void print_new(Output& out, bool safe) {
        file_.take_new([&](std::string_view line) { print(out, line, safe); });
    }
    /// When nothing more comes.
    void print_rest(Output& out, bool safe) {
        file_.take_rest([&](std::string_view line) { print(out, line, safe); });
    }
    void skip_to_tail(std::int64_t lines) { file_.skip_to_tail(lines); }

private:
    void print(Output& out, std::string_view line, bool safe) const {
        if (out.wants_json()) return out.write(object_of(line) + "\n");
        out.write(fmt::format("{}{}\n", prefix_, safe ? printable(line, line.size() * 4) : std::string(line)));
    }
    [[nodiscard]] std::string object_of(std::string_view line) const {
        const nlohmann::ordered_json object{{"step", step_}, {"line", line}};
        return json_text(object);
    }
    LogFile file_;
    std::string step_;
    std::string prefix_;
};

class LogsCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.positional("STEP", step_, "Only this step").complete(Completes::step);
        options.flag("-f,--follow", follow_, "Until the execution ends");
        options.value("--tail", "N", tail_, "Only the last N lines of each step");
    }
    ExitCode run(Session& session) override;

private:
    void look(Session& session, JobExecutionId id);
    ExecutionRef execution_;
    std::optional<std::string> step_;
    bool follow_ = false;
    std::optional<std::int64_t> tail_;
    std::map<std::string, StepLog> files_;
    std::vector<std::string> order_;
    std::set<std::string> complete_;  ///< whose step had ended when it was looked at
};

/// Takes in steps entered since the last look.
void LogsCommand::look(Session& session, JobExecutionId id) {
    const auto steps = session.repository().steps_of(id);
    for (const auto& step : steps) {
        if (step.ended) complete_.insert(step.name);
        if ((step_ && step.name != *step_) || files_.contains(step.name)) continue;
        const bool several = !step_ && (steps.size() > 1 || follow_);
        auto& file =
            files_.emplace(step.name, StepLog(step_log_path(session.data_folder(), id, step.name), step.name, several))
                .first->second;
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
        for (const auto& name : order_) {
            files_.at(name).print_new(session.out(), safe);
            if (complete_.contains(name)) files_.at(name).print_rest(session.out(), safe);
        }
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
