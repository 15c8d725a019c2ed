#include "../command.hpp"
#include "../interrupts.hpp"
#include "../json_text.hpp"
#include "../session.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <deque>
#include <nlohmann/json.hpp>
#include <utility>

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
        options.value("--tail", "N", tail_, "Only the last N of those there are");
    }
    ExitCode run(Session& session) override;

private:
    /// Prints all there are now.
    void print_new(Session& session, std::optional<JobExecutionId> only);
    std::optional<ExecutionRef> execution_;
    bool follow_ = false;
    /// Where to begin: behind --after, before the last --tail; --follow alone begins now.
    void begin(Session& session, std::optional<JobExecutionId> only);
    std::optional<std::int64_t> after_;
    std::optional<std::int64_t> tail_;
    std::int64_t seen_ = 0;
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

/// Its number, found in a few looks however long the journal is.
std::int64_t newest_event(Repository& repository) {
    const auto is_any_after = [&](std::int64_t id) { return !repository.events_after(id, 1).empty(); };
    std::int64_t above = 1;
    while (is_any_after(above)) above *= 2;
    std::int64_t below = above / 2;
    while (above - below > 1) {
        const std::int64_t middle = below + (above - below) / 2;
        (is_any_after(middle) ? below : above) = middle;
    }
    return is_any_after(below) ? above : below;
}

/// The number behind which there are `wanted` events up to `newest`, or fewer if there are not so many.
std::int64_t before_last(Repository& repository, std::int64_t newest, std::int64_t wanted,
                         std::optional<JobExecutionId> only) {
    if (wanted == 0) return newest;
    for (std::int64_t reach = page;; reach *= 2) {
        const std::int64_t from = std::max<std::int64_t>(newest - reach, 0);
        std::deque<std::int64_t> before{};  // of each of the last of them, the number before it
        for (std::int64_t at = from; at < newest;) {
            const auto events = repository.events_after(at, page);
            for (const Event& event : events)
                if (event.id <= newest && (!only || event.execution == only)) before.push_back(event.id - 1);
            while (std::cmp_greater(before.size(), wanted)) before.pop_front();
            at = events.empty() ? newest : events.back().id;
        }
        if (from == 0 || std::cmp_equal(before.size(), wanted)) return before.empty() ? newest : before.front();
    }
}

void EventsCommand::begin(Session& session, std::optional<JobExecutionId> only) {
    seen_ = after_.value_or(0);
    if (!tail_ && (after_ || !follow_)) return;
    const std::int64_t newest = newest_event(session.repository());
    seen_ = std::max(seen_, before_last(session.repository(), newest, tail_.value_or(0), only));
}

void EventsCommand::print_new(Session& session, std::optional<JobExecutionId> only) {
    for (;;) {
        const auto events = session.repository().events_after(seen_, page);
        for (const auto& event : events) {
            seen_ = event.id;
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
    begin(session, only);
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
