#include "waits.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <limits>
#include <nlohmann/json.hpp>
#include <span>

#include "execution_view.hpp"
#include "input_text.hpp"
#include "json_text.hpp"
#include "notifications.hpp"
#include "plain_time.hpp"
#include "shell_word.hpp"

namespace fermata::cli {

namespace {

constexpr std::size_t named_waits = 3;
constexpr std::size_t most_rows = 50;  // of a table; for programs all there are
constexpr std::int64_t shown_at_most = most_rows;
constexpr std::int64_t all_there_are = std::numeric_limits<std::int64_t>::max();

/// A cell of the table; json, jsonl and tsv have all of it.
std::string cell_of(const std::string& text) {
    constexpr std::size_t widest = 40;
    return printable(text, widest);
}

std::string name_of(const Pause& pause) {
    std::string text = "signal:" + printable(pause.what.point);
    if (pause.what.signals > 1) text += fmt::format(" ({}/{})", pause.counted, pause.what.signals);
    if (is_overdue(pause)) text += " overdue";
    return text;
}

std::string place_of(const Pause& pause) {
    if (pause.kind == PauseKind::outside)
        return fmt::format("{}asked by {}", pause.element.empty() ? "" : "after " + printable(pause.element) + ", ",
                           printable(pause.opened_by));
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
                              shell_word(pause.what.point), pause.epoch);
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

const std::vector<std::string> plain_titles{"PAUSE",    "POINT",     "KIND",         "ELEMENT", "PARTITION",
                                            "STATE",    "COUNTED",   "SIGNALS",      "OPENED",  "OPENED_BY",
                                            "DEADLINE", "COMPLETED", "COMPLETED_BY", "KEY",     "MESSAGE"};

std::vector<std::string> plain_cells_of(const Pause& pause) {
    return {std::to_string(pause.epoch),
            pause.what.point,
            std::string(to_string(pause.kind)),
            pause.element,
            pause.partition ? std::to_string(*pause.partition) : "",
            state_of(pause),
            std::to_string(pause.counted),
            std::to_string(pause.what.signals),
            plain_time(pause.opened),
            pause.opened_by,
            plain_time(pause.deadline),
            plain_time(pause.completed),
            pause.completed_by.value_or(""),
            "",
            pause.what.message};
}

Row row_of(const Signal& kept) {
    return {.cells = {"", cell_of(kept.point), "signal " + cell_of(kept.key), "buffered", "", local_time(kept.at), "",
                      printable(kept.sender)},
            .object = json_text(object_of(kept)),
            .name = "",
            .plain = {"", kept.point, "signal", "", "", "buffered", "", "", plain_time(kept.at), kept.sender, "", "",
                      "", kept.key, ""}};
}

Row row_of(const Pause& pause, const FailedNotification* failed) {
    return {.cells = {std::to_string(pause.epoch), cell_of(pause.what.point), place_of(pause), state_of(pause),
                      fmt::format("{}/{}", pause.counted, pause.what.signals), local_time(pause.opened),
                      pause.completed ? local_time(*pause.completed) : "", printable(pause.completed_by.value_or(""))},
            .object = json_text(object_of(pause, failed)),
            .name = std::to_string(pause.epoch),
            .plain = plain_cells_of(pause)};
}

std::string summary_line(const PauseSummary& summary) {
    return fmt::format("{}: {} pause{}, {} signal{} counted, {} to {}\n", printable(summary.point),
                       with_commas(summary.pauses), summary.pauses == 1 ? "" : "s", with_commas(summary.signals),
                       summary.signals == 1 ? "" : "s", local_time(summary.first), local_time(summary.last));
}

/// What the table below it leaves out, too.
void write_summary(Output& out, const std::vector<PauseSummary>& points, std::size_t kept) {
    std::int64_t pauses = 0;
    for (const PauseSummary& point : points) {
        out.write(summary_line(point));
        pauses += point.pauses;
    }
    if (pauses > shown_at_most)
        out.write(fmt::format("the newest {} of {} pauses; -o json, jsonl and tsv have all\n", shown_at_most,
                              with_commas(pauses)));
    if (kept > most_rows)
        out.write(fmt::format("the oldest {} of {} signals that are kept; -o json, jsonl and tsv have all\n", most_rows,
                              with_commas(static_cast<std::int64_t>(kept))));
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
    Output& out = session.out();
    const bool is_table = out.format() == Format::table;
    const auto pauses = repository.pauses_of(execution, is_table ? shown_at_most : all_there_are);
    const auto failed = failed_notifications(session, execution, pauses);
    std::vector<Row> rows;
    for (const Pause& pause : pauses) {
        const auto found = failed.find(pause.epoch);
        rows.push_back(row_of(pause, found == failed.end() ? nullptr : &found->second));
        if (is_table && found != failed.end()) out.write(sentence(pause, found->second) + "\n");
    }
    std::vector<Signal> kept;
    if (out.format() != Format::name)  // which is what signal --pause takes
        kept = repository.buffered_signals_of(execution, all_there_are);
    if (is_table) write_summary(out, repository.pause_summary(execution), kept.size());
    for (const Signal& signal : std::span(kept).first(is_table ? std::min(kept.size(), most_rows) : kept.size()))
        rows.push_back(row_of(signal));
    out.rows({{"PAUSE", true}, {"POINT"}, {"WHERE"}, {"STATE"}, {"SIGNALS", true}, {"OPENED"}, {"COMPLETED"}, {"BY"}},
             rows, plain_titles);
}

std::optional<std::string> payload_from(const std::optional<std::string>& data) {
    if (!data) return std::nullopt;
    std::string text = data->starts_with('@') ? input_text("--data", data->substr(1), largest_payload) : *data;
    check_payload(text);
    return text;
}

}  // namespace fermata::cli
