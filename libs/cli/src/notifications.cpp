#include "notifications.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "local_time.hpp"

namespace fermata::cli {

namespace {

constexpr std::int64_t most_failures = 10'000;

bool is_untold(const Pause& pause) { return !pause.completed && pause.what.notify && !pause.notified; }

/// Microseconds since 1970 in what 0.1 wrote first.
Timestamp next_of(const nlohmann::json& said) {
    const nlohmann::json& next = said.at("next");
    return next.is_string() ? parse_rfc3339(next.get<std::string>()).value() : from_micros(next);
}

}  // namespace

std::map<std::int64_t, FailedNotification> failed_notifications(Session& session, JobExecutionId execution,
                                                                const std::vector<Pause>& pauses) {
    std::map<std::int64_t, FailedNotification> failed;
    if (std::ranges::none_of(pauses, is_untold)) return failed;
    for (const Event& event : session.repository().events_of(execution, "pause.notify_failed", most_failures)) {
        const auto said = nlohmann::json::parse(event.data);
        failed[said.at("pause")] = {
            .attempts = said.at("attempt"), .last = event.at, .next = next_of(said), .error = said.at("error")};
    }
    std::erase_if(failed, [&](const auto& one) {
        const auto pause = std::ranges::find(pauses, one.first, &Pause::epoch);
        return pause == pauses.end() || !is_untold(*pause);
    });
    return failed;
}

std::string sentence(const Pause& pause, const FailedNotification& failed) {
    return fmt::format("notifying of \"{}\" failed {}, last at {}, again after {}: {}", printable(pause.what.point),
                       failed.attempts == 1 ? "once" : fmt::format("{} times", failed.attempts),
                       local_time(failed.last), local_time(failed.next), printable(failed.error, 500));
}

void tell_of_notifications(Session& session, const JobExecution& execution) {
    const auto failed = failed_notifications(session, execution.id, execution.waits);
    for (const Pause& pause : execution.waits)
        if (const auto found = failed.find(pause.epoch); found != failed.end())
            Output::note("fermata: " + sentence(pause, found->second));
}

}  // namespace fermata::cli
