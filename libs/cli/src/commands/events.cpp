#include "../command.hpp"
#include "../interrupts.hpp"
#include "../json_text.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::string_view help =
    R"(The journal: who asked for what, what changed, what was skipped. -o json and -o jsonl print one object a line.
)";
constexpr std::int64_t page = 500;

class EventsCommand final : public Command {
public:
    void describe(Options& options) override {
        options.positional("ID", execution_, "Only of this execution").complete(Completes::execution);
        options.flag("-f,--follow", follow_, "Go on with what happens from now, until Ctrl-C");
        options.value("--after", "EVENT", after_, "Only events with a higher number");
    }
    ExitCode run(Session& session) override;

private:
    /// Prints all there are now.
    void print_new(Session& session, std::optional<JobExecutionId> only);
    std::optional<ExecutionRef> execution_;
    bool follow_ = false;
    std::int64_t after_ = 0;
};

std::string object_of(const Event& event) {
    nlohmann::ordered_json object{{"id", event.id},
                                  {"at", to_rfc3339(event.at)},
                                  {"execution", nullptr},
                                  {"kind", event.kind},
                                  {"actor", event.actor}};
    if (event.execution) object["execution"] = event.execution->value();
    object["data"] = nlohmann::ordered_json::parse(event.data, nullptr, false);
    return json_text(object);
}

std::string line_of(const Event& event) {
    return fmt::format("{}  {:>5}  {:<20} {}  {}", to_rfc3339(event.at),
                       event.execution ? std::to_string(event.execution->value()) : "", event.kind,
                       printable(event.actor), printable(event.data, 500));
}

void EventsCommand::print_new(Session& session, std::optional<JobExecutionId> only) {
    for (;;) {
        const auto events = session.repository().events_after(after_, page);
        for (const auto& event : events) {
            after_ = event.id;
            if (only && event.execution != only) continue;
            session.out().one(line_of(event) + "\n", object_of(event), std::to_string(event.id));
        }
        session.out().flush();
        if (events.size() < static_cast<std::size_t>(page)) return;
    }
}

ExitCode EventsCommand::run(Session& session) {
    std::optional<JobExecutionId> only;
    if (execution_) only = session.execution(session.resolve(*execution_)).id;
    if (!follow_) {
        print_new(session, only);
        return ExitCode::ok;
    }
    Patience patience;
    do print_new(session, only);
    while (patience.wait(std::chrono::milliseconds(200)));
    return ExitCode::interrupted;
}

}  // namespace

const Descriptor events_command{.name = "events",
                                .group = "Looking",
                                .about = "The journal of everything that happened",
                                .help = help,
                                .formats = one_object,
                                .make = make_command<EventsCommand>};

}  // namespace fermata::cli
