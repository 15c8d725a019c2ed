#include "../command.hpp"
#include "../session.hpp"
#include "../waits.hpp"

#include <fmt/format.h>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(Tells what became of it: applied, counted (17/300), duplicate, buffered (the point is not reached yet: the pause there
will take it), stale (exit code 4: the pause it names is over), conflict or finished (exit code 8). A signal that
completes what the execution waits for makes it STARTING: it goes on where `fermata resume` runs it.

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

std::string text_of(const SignalAnswer& answer) {
    std::string text(to_string(answer.disposition));
    if (answer.first) text += fmt::format(" of one that was {}", to_string(*answer.first));
    if (answer.needed > 1) text += fmt::format(" ({}/{})", answer.counted, answer.needed);
    return text;
}

class SignalCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "The execution").require().complete(Completes::execution);
        options.value("--point", "NAME", request_.point, "Where it waits, or will wait").require();
        options.value("--key", "KEY", request_.key, "Sent again with the same key it counts once");
        options.value("--pause", "N", request_.pause, "Only for this pause, as fermata show names it");
        options.value("--data", "JSON|@FILE", data_, "For the step entered next");
    }
    ExitCode run(Session& session) override {
        if (request_.point.empty() || (request_.key && request_.key->empty()))
            throw Error(ErrorKind::usage, "--point and --key need a name, and were given an empty one");
        request_.payload = payload_from(data_);
        const JobExecutionId id = session.resolve(execution_);
        const SignalAnswer answer = session.jobs().signal(id, request_);
        std::string text = text_of(answer) + "\n";
        if (answer.status == BatchStatus::starting) text += fmt::format("  go on: fermata resume {}\n", id.value());
        session.out().one(text,
                          fmt::format(R"({{"id":{},"answer":"{}","pause":{},"counted":{},"needed":{},"status":"{}"}})",
                                      id.value(), to_string(answer.disposition), answer.pause, answer.counted,
                                      answer.needed, to_string(answer.status)),
                          to_string(answer.disposition));
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
