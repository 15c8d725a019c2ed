#include "waits.hpp"

#include <fmt/format.h>
#include <fermata/base/file.hpp>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "execution_view.hpp"
#include "json_text.hpp"
#include "notifications.hpp"

namespace fermata::cli {

namespace {

constexpr std::size_t named_waits = 3;
constexpr std::int64_t shown_pauses = 50;

std::string name_of(const Pause& pause) {
    std::string text = "signal:" + printable(pause.what.point);
    if (pause.what.signals > 1) text += fmt::format(" ({}/{})", pause.counted, pause.what.signals);
    if (is_overdue(pause)) text += " overdue";
    return text;
}

std::string place_of(const Pause& pause) {
    if (pause.kind == PauseKind::outside) return fmt::format("asked by {}", printable(pause.opened_by));
    const std::string where = pause.partition ? fmt::format("{}[{}]", pause.element, *pause.partition) : pause.element;
    return fmt::format("{} {}", to_string(pause.kind), printable(where));
}

std::string line_of(const JobExecution& execution, const Pause& pause) {
    std::string line =
        fmt::format("  waits for   {} since {}, {}", name_of(pause), local_time(pause.opened), place_of(pause));
    if (!pause.what.message.empty()) line += fmt::format(": {}", printable(pause.what.message, 1000));
    if (pause.deadline)
        line += fmt::format("; {} at {}", to_string(pause.what.on_timeout), local_time(*pause.deadline));
    return line + fmt::format("\n  answer      fermata signal {} --point {} --pause {}\n", execution.id.value(),
                              printable(pause.what.point), pause.epoch);
}

std::string state_of(const Pause& pause) {
    if (!pause.completed) return is_overdue(pause) ? "overdue" : "open";
    return pause.how.value_or("");
}

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<Timestamp>& at) { return at ? Json(to_rfc3339(*at)) : Json(nullptr); }
Json or_null(const std::optional<std::string>& text) { return text ? Json(*text) : Json(nullptr); }

Json notification_of(const Pause& pause, const FailedNotification* failed) {
    return {{"command", or_null(pause.what.notify)},
            {"sent", or_null(pause.notified)},
            {"failed", failed != nullptr ? failed->attempts : 0},
            {"next", failed != nullptr ? or_null(failed->next) : Json(nullptr)},
            {"error", failed != nullptr ? Json(failed->error) : Json(nullptr)}};
}

Json object_of(const Pause& pause, const FailedNotification* failed) {
    return {{"pause", pause.epoch},
            {"kind", to_string(pause.kind)},
            {"point", pause.what.point},
            {"element", pause.element},
            {"partition", pause.partition ? Json(*pause.partition) : Json(nullptr)},
            {"message", pause.what.message},
            {"opened", to_rfc3339(pause.opened)},
            {"opened_by", pause.opened_by},
            {"counted", pause.counted},
            {"signals", pause.what.signals},
            {"deadline", or_null(pause.deadline)},
            {"completed", or_null(pause.completed)},
            {"completed_by", or_null(pause.completed_by)},
            {"how", or_null(pause.how)},
            {"key", nullptr},
            {"notify", notification_of(pause, failed)}};
}

/// With the keys of a pause, which it is not yet.
Json object_of(const Signal& kept) {
    return {{"pause", nullptr},
            {"kind", "signal"},
            {"point", kept.point},
            {"element", ""},
            {"partition", nullptr},
            {"message", ""},
            {"opened", to_rfc3339(kept.at)},
            {"opened_by", kept.sender},
            {"counted", 0},
            {"signals", 0},
            {"deadline", nullptr},
            {"completed", nullptr},
            {"completed_by", nullptr},
            {"how", nullptr},
            {"key", kept.key},
            {"notify", nullptr}};
}

Row row_of(const Signal& kept) {
    return {.cells = {"", printable(kept.point), "signal " + printable(kept.key), "buffered", "", local_time(kept.at),
                      "", printable(kept.sender)},
            .object = json_text(object_of(kept)),
            .name = ""};
}

Row row_of(const Pause& pause, const FailedNotification* failed) {
    return {.cells = {std::to_string(pause.epoch), printable(pause.what.point), place_of(pause), state_of(pause),
                      fmt::format("{}/{}", pause.counted, pause.what.signals), local_time(pause.opened),
                      pause.completed ? local_time(*pause.completed) : "", printable(pause.completed_by.value_or(""))},
            .object = json_text(object_of(pause, failed)),
            .name = std::to_string(pause.epoch)};
}

std::string summary_line(const PauseSummary& summary) {
    return fmt::format("{}: {} pause{}, {} signal{} counted, {} to {}\n", printable(summary.point),
                       with_commas(summary.pauses), summary.pauses == 1 ? "" : "s", with_commas(summary.signals),
                       summary.signals == 1 ? "" : "s", local_time(summary.first), local_time(summary.last));
}

}  // namespace

bool is_overdue(const Pause& pause) {
    return !pause.completed && pause.deadline && *pause.deadline <= Clock::system().now();
}

std::string runs_here(const JobExecution& execution) {
    return fmt::format("fermata resume {} runs it here", execution.id.value());
}

std::string waits_text(const JobExecution& execution) {
    if (awaits_owner(execution)) return "waits for a worker; " + runs_here(execution);
    std::string text;
    for (std::size_t i = 0; i < std::min(execution.waits.size(), named_waits); ++i)
        text += (text.empty() ? "" : ", ") + name_of(execution.waits[i]);
    if (execution.waits.size() > named_waits) text += fmt::format(", {} more", execution.waits.size() - named_waits);
    return text;
}

std::string waits_lines(const JobExecution& execution) {
    const auto id = execution.id.value();
    if (awaits_owner(execution)) return fmt::format("  waits for   a worker; {}\n", runs_here(execution));
    std::string text;
    for (std::size_t i = 0; i < std::min(execution.waits.size(), named_waits); ++i)
        text += line_of(execution, execution.waits[i]);
    if (execution.waits.size() > named_waits)
        text += fmt::format("  and {} more: fermata show {} --waits\n", execution.waits.size() - named_waits, id);
    if (!text.empty()) text += fmt::format("  go on       fermata resume {}\n", id);
    return text;
}

void print_waits(Session& session, JobExecutionId execution) {
    Repository& repository = session.repository();
    const bool is_table = session.out().format() == Format::table;
    const std::vector<Pause> pauses = repository.pauses_of(execution, shown_pauses);
    const auto failed = failed_notifications(session, execution, pauses);
    std::vector<Row> rows;
    for (const Pause& pause : pauses) {
        const auto found = failed.find(pause.epoch);
        rows.push_back(row_of(pause, found == failed.end() ? nullptr : &found->second));
        if (is_table && found != failed.end()) session.out().write(sentence(pause, found->second) + "\n");
    }
    if (session.out().format() != Format::name)  // which is what signal --pause takes
        for (const Signal& kept : repository.buffered_signals_of(execution, shown_pauses)) rows.push_back(row_of(kept));
    if (is_table)
        for (const PauseSummary& summary : repository.pause_summary(execution))
            session.out().write(summary_line(summary));
    session.out().rows(
        {{"PAUSE", true}, {"POINT"}, {"WHERE"}, {"STATE"}, {"SIGNALS", true}, {"OPENED"}, {"COMPLETED"}, {"BY"}}, rows);
}

std::optional<std::string> payload_from(const std::optional<std::string>& data) {
    if (!data) return std::nullopt;
    if (data->starts_with('@') && !std::filesystem::exists(data->substr(1)))
        throw Error(ErrorKind::not_found, fmt::format("--data {}: there is no such file", printable(*data)));
    const std::string text = data->starts_with('@') ? read_file(data->substr(1)) : *data;
    return checked_payload(text);
}

}  // namespace fermata::cli
