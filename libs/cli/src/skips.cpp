#include "skips.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "report.hpp"

namespace fermata::cli {

namespace {

constexpr std::int64_t most_shown = 10'000;

/// A write that is skipped costs all items of its chunk.
std::int64_t items_of(const nlohmann::json& data) { return data.value("items", std::int64_t{1}); }

std::int64_t counted(Repository& repository, JobExecutionId execution) {
    std::int64_t skips = 0;
    for (const auto& step : repository.steps_of(execution)) skips += skipped(step.metrics);
    return skips;
}

Row row_of(const Event& event) {
    const auto data = nlohmann::json::parse(event.data);
    const auto text = [&](const char* key) { return data.value(key, std::string{}); };
    return {.cells = {printable(text("step")), printable(text("position")), std::to_string(items_of(data)),
                      text("class"), printable(text("message")), printable(text("raw"))},
            .object = event.data,
            .name = text("position"),
            .plain = {text("step"), text("position"), std::to_string(items_of(data)), text("class"), text("message"),
                      text("raw")}};
}

}  // namespace

void print_skips(Session& session, JobExecutionId execution) {
    std::vector<Row> rows;
    std::int64_t told = 0;
    for (const auto& event : session.repository().events_of(execution, "item.skipped", most_shown)) {
        told += items_of(nlohmann::json::parse(event.data));
        rows.push_back(row_of(event));
    }
    session.out().rows({{"STEP"}, {"POSITION"}, {"ITEMS", true}, {"CLASS"}, {"REASON"}, {"RAW"}}, rows);
    if (const std::int64_t all = counted(session.repository(), execution); all > told)
        Output::note(
            fmt::format("fermata: {} items were skipped; the journal keeps the first hundred of a step, the "
                        "listener rejectFile writes all of them to a file",
                        with_commas(all)));
}

}  // namespace fermata::cli
