#include "skips.hpp"

#include <fermata/base/text.hpp>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace fermata::cli {

namespace {

constexpr std::int64_t most_shown = 10'000;

std::vector<Event> skips_of(Repository& repository, JobExecutionId execution) {
    std::vector<Event> all;
    for (const char* phase : {"read.skipped", "process.skipped", "write.skipped"})
        for (auto& event : repository.events_of(execution, phase, most_shown)) all.push_back(std::move(event));
    std::sort(all.begin(), all.end(), [](auto& left, auto& right) { return left.id < right.id; });
    return all;
}

Row row_of(const Event& event) {
    const auto data = nlohmann::json::parse(event.data);
    const auto text = [&](const char* key) { return data.value(key, std::string{}); };
    return {.cells = {printable(text("step")), event.kind.substr(0, event.kind.find('.')), printable(text("position")),
                      text("class"), printable(text("message")), printable(text("raw"))},
            .object = event.data,
            .name = text("position")};
}

}  // namespace

void print_skips(Session& session, JobExecutionId execution) {
    std::vector<Row> rows;
    for (const auto& event : skips_of(session.repository(), execution)) rows.push_back(row_of(event));
    session.out().rows({{"STEP"}, {"PHASE"}, {"POSITION"}, {"CLASS"}, {"REASON"}, {"RAW"}}, rows);
}

}  // namespace fermata::cli
