#include "commands.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace fermata::testing {
namespace {

using enum BatchStatus;

/// A change that nobody but these commands makes, so there are as many of them as answers that claim one.
struct Claimed {
    std::string_view by;
    bool (*is_such)(const Change& change);
};
const std::array claimed = {
    Claimed{"stop requested", [](const Change& change) { return change.to == stopping; }},
    Claimed{"stop stopped",
            [](const Change& change) {
                return change.to == stopped && (change.from == paused || change.from == starting);
            }},
    Claimed{"abandon abandoned", [](const Change& change) { return change.to == abandoned; }},
};

bool has(const std::vector<Change>& changes, const Told& told) {
    return std::ranges::any_of(changes, [&](const Change& change) {
        return change.number > told.before && change.number <= told.after && change.to == told.made;
    });
}

void check_one(const Told& told, const History& history, std::vector<std::string>& found) {
    if (told.status && !history.statuses(told.execution, told.before, told.after).contains(*told.status))
        found.push_back(to_string(told) + ": it never was, in that time");
    if (told.made && !has(history.of_execution(told.execution), told))
        found.push_back(to_string(told) + ": nothing was changed, in that time");
    if (told.restarted_as > 0 && history.of_execution(told.restarted_as).empty())
        found.push_back(to_string(told) + ": there is no such execution");
}

void count_claims(const std::vector<Told>& all, const History& history, std::vector<std::string>& found) {
    std::map<std::int64_t, std::map<std::string, int>> answers;  // by execution
    for (const Told& told : all) ++answers[told.execution][told.verb + " " + told.answer];
    for (auto& [execution, given] : answers)
        for (const Claimed& each : claimed) {
            const auto made = std::ranges::count_if(history.of_execution(execution), each.is_such);
            if (const int said = given[std::string(each.by)]; said != made)
                found.push_back(
                    fmt::format("execution {}: {} times {}, but {} such changes", execution, each.by, said, made));
        }
}

// A restarted one is no longer the newest of its instance.
void count_restarts(const std::vector<Told>& all, std::vector<std::string>& found) {
    std::map<std::int64_t, std::int64_t> restarted;
    for (const Told& told : all)
        if (told.restarted_as > 0 && !restarted.try_emplace(told.execution, told.restarted_as).second)
            found.push_back(fmt::format("execution {} was restarted twice, as {} and {}", told.execution,
                                        restarted[told.execution], told.restarted_as));
}

}  // namespace

std::string to_string(const Told& told) {
    return fmt::format("{} {} was answered {}, {}{}", told.verb, told.execution, told.answer,
                       told.status ? fermata::to_string(*told.status) : "no status",
                       told.made ? fmt::format(", made {}", fermata::to_string(*told.made)) : "");
}

Told stop(Repository& store, JobExecutionId id, const std::string& actor, bool now) {
    using Effect = StopAnswer::Effect;
    const StopAnswer answer = store.request_stop(id, {.now = now, .actor = actor});
    Told told{.verb = "stop", .execution = id.value(), .status = answer.status};
    if (answer.effect == Effect::requested) told.answer = "requested", told.made = stopping;
    if (answer.effect == Effect::stopped) told.answer = "stopped", told.made = stopped;
    if (answer.effect == Effect::already) told.answer = "already";
    if (answer.effect == Effect::not_running) told.answer = "conflict";
    return told;
}

Told pause(Repository& store, JobExecutionId id, const std::string& actor, bool after_step) {
    using Effect = PauseAnswer::Effect;
    const PauseAnswer answer =
        store.request_pause(id, {.what = {.point = "operator"}, .after_step = after_step, .actor = actor});
    Told told{.verb = "pause", .execution = id.value(), .status = answer.status};
    if (answer.effect == Effect::requested) told.answer = "requested";
    if (answer.effect == Effect::paused) told.answer = "paused", told.made = paused;
    if (answer.effect == Effect::already) told.answer = "already";
    if (answer.effect == Effect::not_running) told.answer = "conflict";
    return told;
}

Told resume(Repository& store, JobExecutionId id, const std::string& actor) {
    using Effect = ResumeAnswer::Effect;
    const ResumeAnswer answer = store.resume(id, {.actor = actor});
    Told told{.verb = "resume", .execution = id.value(), .status = answer.status};
    if (answer.effect == Effect::released) told.answer = "released";
    if (answer.effect == Effect::withdrawn) told.answer = "withdrawn", told.made = started;
    if (answer.effect == Effect::completed) told.answer = "completed";
    if (answer.effect == Effect::conflict) told.answer = "conflict";
    return told;
}

Told send_signal(Repository& store, JobExecutionId id, const std::string& actor) {
    const SignalAnswer answer = store.signal(id, {.point = "p", .sender = actor});
    return {.verb = "signal",
            .execution = id.value(),
            .answer = std::string(fermata::to_string(answer.disposition)),
            .status = answer.status};
}

Told abandon(Repository& store, JobExecutionId id, const std::string& actor) {
    const BatchStatus before = store.abandon(id, actor);
    Told told{.verb = "abandon", .execution = id.value(), .answer = "conflict", .status = before};
    if (!is_running(before) && before != abandoned) told.answer = "abandoned", told.made = abandoned;
    return told;
}

Told restart(Repository& store, JobExecutionId id, const std::string& actor) {
    const auto answer =
        store.submit_restart(id, {.parameters = store.find_execution(id).value().parameters, .actor = actor});
    Told told{.verb = "restart", .execution = id.value(), .answer = "conflict"};
    if (const auto* made = std::get_if<JobExecutionId>(&answer))
        told.answer = "accepted", told.restarted_as = made->value();
    else
        told.status = std::get<RestartRefused>(answer).status;
    return told;
}

Told recover(Repository& store, JobExecutionId id, const std::string& actor) {
    return {
        .verb = "recover", .execution = id.value(), .answer = store.release_lost(id, actor) ? "released" : "conflict"};
}

Told stop_step(Repository& store, JobExecutionId id, const std::string& actor) {
    using Effect = StepStopAnswer::Effect;
    const StepStopAnswer answer = store.request_step_stop(id, {.step = "one", .actor = actor});
    Told told{.verb = "stop --step", .execution = id.value(), .answer = "conflict", .status = answer.status};
    if (answer.effect == Effect::requested) told.answer = "requested";
    if (answer.effect == Effect::already) told.answer = "already";
    return told;
}

std::vector<std::string> untrue(const std::vector<Told>& all, const History& history) {
    std::vector<std::string> found;
    for (const Told& told : all) check_one(told, history, found);
    count_claims(all, history, found);
    count_restarts(all, found);
    return found;
}

}  // namespace fermata::testing
