#include "../command.hpp"
#include "../job_source.hpp"
#include "../local_time.hpp"
#include "../session.hpp"
#include "../shell_word.hpp"
#include "../waits.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>
#include <fermata/runtime/pause_points.hpp>

#include <algorithm>
#include <limits>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Tells what became of it:

  applied          it completed the pause
  counted (17/300) more are needed
  duplicate        this key was sent before; nothing is counted twice
  buffered         no pause is open there: it is kept for the next one (show --waits lists it); a point that nothing is
                   known to pause at is warned of
  stale            the pause that --pause names is over: exit code 4
  conflict         the key was sent with other data, or the execution is STOPPING: exit code 8
  finished         the execution has ended: exit code 8

A signal that completes what the execution waits for makes it STARTING: a worker goes on, or `fermata resume ID`, here.

  fermata signal 12 --point approve --key "ticket 4711" --data '{"by":"ann"}'
)";

ExitCode exit_code_for(const SignalAnswer& answer) {
    switch (answer.disposition) {
        case SignalAnswer::Disposition::stale:
            return ExitCode::stale;
        case SignalAnswer::Disposition::conflict:
        case SignalAnswer::Disposition::finished:
            return ExitCode::conflict;
        default:
            return answer.first == SignalAnswer::Disposition::stale ? ExitCode::stale : ExitCode::ok;
    }
}

std::string counts_of(const SignalAnswer& answer) {
    return answer.needed > 1 ? fmt::format(" ({}/{})", answer.counted, answer.needed) : "";
}

std::string text_of(const SignalAnswer& answer) {
    std::string text(to_string(answer.disposition));
    if (answer.disposition == SignalAnswer::Disposition::conflict) return text;
    if (answer.first) text += fmt::format(" of one that was {}", to_string(*answer.first));
    return text + counts_of(answer);
}

std::string why_conflict(JobExecutionId id, const SignalRequest& request, const SignalAnswer& answer) {
    if (!answer.first)
        return fmt::format(": {} is {} and takes no signals; when it has ended: fermata restart {}", id.value(),
                           to_string(answer.status), id.value());
    return fmt::format(
        ": key \"{}\" was sent to \"{}\" before, with other data, and was {}{}; what is new needs a key of its own",
        printable(request.key.value_or("")), printable(request.point), to_string(*answer.first), counts_of(answer));
}

std::string fate_of(const std::vector<Pause>& pauses, const SignalRequest& request) {
    const auto named = std::ranges::find(pauses, *request.pause, &Pause::epoch);
    if (named == pauses.end()) return fmt::format("there is no pause {}", *request.pause);
    if (!named->completed)
        return fmt::format("pause {} is at \"{}\", not at \"{}\"", named->epoch, printable(named->what.point),
                           printable(request.point));
    return fmt::format("pause {} is over since {} ({})", named->epoch, local_time(*named->completed),
                       named->how.value_or(""));
}

std::string why_stale(Session& session, JobExecutionId id, const SignalRequest& request) {
    const auto pauses = session.repository().pauses_of(id, std::numeric_limits<std::int64_t>::max());
    const auto open = std::ranges::find_if(
        pauses, [&](const Pause& pause) { return !pause.completed && pause.what.point == request.point; });
    const std::string fate = fate_of(pauses, request);
    if (open == pauses.end()) return fmt::format(": {}, and none is open at \"{}\"", fate, printable(request.point));
    return fmt::format(": {}; the open one is {}: fermata signal {} --point {} --pause {}", fate, open->epoch,
                       id.value(), shell_word(request.point), open->epoch);
}

/// Somebody believes to have answered what was answered before.
std::string why_buffered(Session& session, JobExecutionId id, const std::string& point) {
    constexpr std::int64_t enough = 1000;
    const auto pauses = session.repository().pauses_of(id, enough);
    const auto passed =
        std::ranges::find_if(pauses, [&](const Pause& pause) { return pause.completed && pause.what.point == point; });
    if (passed == pauses.end())
        return fmt::format(": no pause is open at \"{}\"; it is kept for the next one there (fermata show {} --waits)",
                           printable(point), id.value());
    return fmt::format(
        ": \"{}\" was passed: pause {} is over since {} ({}); it is kept for another pause there, which may "
        "never come (fermata show {} --waits)",
        printable(point), passed->epoch, local_time(*passed->completed), passed->how.value_or(""), id.value());
}

std::string why(Session& session, JobExecutionId id, const SignalRequest& request, const SignalAnswer& answer) {
    using Disposition = SignalAnswer::Disposition;
    switch (answer.disposition) {
        case Disposition::buffered:
            return why_buffered(session, id, request.point);
        case Disposition::conflict:
            return why_conflict(id, request, answer);
        case Disposition::stale:
            return why_stale(session, id, request);
        case Disposition::finished:
            return fmt::format(
                ": {} is {}{}", id.value(), to_string(answer.status),
                is_restartable(answer.status) ? fmt::format("; fermata restart {} goes on", id.value()) : "");
        default:
            return {};
    }
}

std::string following(Session& session, JobExecutionId id, const SignalRequest& request, const SignalAnswer& answer) {
    std::string text = why(session, id, request, answer);
    if (answer.status == BatchStatus::starting)
        text += fmt::format("\n  it waits for a worker now; fermata resume {} runs it here", id.value());
    return text;
}

/// Where it has paused, and where its definition says that it will.
std::vector<std::string> known_points(Session& session, const JobExecution& execution) {
    auto points = pause_points(stored_definition(session, execution), session.registry(), execution.parameters,
                               session.system_properties());
    for (const PauseSummary& entered : session.repository().pause_summary(execution.id))
        points.push_back(entered.point);
    points.push_back(PauseOptions{}.point);
    return points;
}

/// A slip of the keyboard would wait for ever, and might answer a later pause.
void warn_of_unknown(Session& session, JobExecutionId id, const std::string& point) {
    const auto known = known_points(session, session.execution(id));
    if (std::ranges::find(known, point) != known.end()) return;
    const std::string hint = did_you_mean(point, known);
    Output::note(fmt::format("fermata: nothing in execution {} is known to pause at \"{}\"{}", id.value(),
                             printable(point),
                             hint.empty() ? ": only a step's own code or fermata pause --point could" : hint));
}

class SignalCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.value("--point", "NAME", request_.point, "Where it waits, or will wait")
            .require()
            .refuse_empty("a name")
            .complete(Completes::point);
        options.value("--key", "KEY", request_.key, "Sent again with the same key it counts once")
            .refuse_empty("a name");
        options.value("--pause", "N", request_.pause, "Only for this pause, as fermata show names it");
        options.value("--data", "JSON|@FILE", data_, "For the step entered next");
    }
    ExitCode run(Session& session) override {
        request_.payload = payload_from(data_);
        const JobExecutionId id = session.resolve(execution_);
        const SignalAnswer answer = session.jobs().signal(id, request_);
        session.out().one(
            text_of(answer) + following(session, id, request_, answer) + "\n",
            fmt::format(R"({{"id":{},"answer":"{}","pause":{},"counted":{},"needed":{},"status":"{}"}})", id.value(),
                        to_string(answer.disposition), answer.pause > 0 ? std::to_string(answer.pause) : "null",
                        answer.counted, answer.needed, to_string(answer.status)),
            to_string(answer.disposition));
        if (answer.disposition == SignalAnswer::Disposition::buffered) warn_of_unknown(session, id, request_.point);
        return exit_code_for(answer);
    }

private:
    ExecutionRef execution_;
    SignalRequest request_;
    std::optional<std::string> data_;
};

}  // namespace

const Descriptor signal_command{.name = "signal",
                                .group = "Waiting",
                                .about = "Send something to a point where an execution waits, or will wait",
                                .help = help,
                                .formats = one_object,
                                .make = make_command<SignalCommand>};

}  // namespace fermata::cli
