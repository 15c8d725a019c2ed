#include "skips.hpp"

#include <fermata/base/text.hpp>

#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::int64_t most_shown = 10'000;

Row row_of(const Event& event) {
    const auto data = nlohmann::json::parse(event.data);
    const auto text = [&](const char* key) { return data.value(key, std::string{}); };
    return {.cells = {printable(text("step")), printable(text("position")), text("class"), printable(text("message")),
                      printable(text("raw"))},
            .object = event.data,
            .name = text("position")};
}

}  // namespace

void print_skips(Session& session, JobExecutionId execution) {
    std::vector<Row> rows;
    for (const auto& event : session.repository().events_of(execution, "item.skipped", most_shown))
        rows.push_back(row_of(event));
    session.out().rows({{"STEP"}, {"POSITION"}, {"CLASS"}, {"REASON"}, {"RAW"}}, rows);
}

}  // namespace fermata::cli
