#include "busy.hpp"

#include <fmt/format.h>
#include <fermata/base/text.hpp>

#include <algorithm>

namespace fermata::cli {

namespace {

constexpr std::size_t named_busy = 5;

/// Since when it is to come to rest.
Timestamp asked_at(const JobExecution& execution) {
    if (execution.status == BatchStatus::stopping) return execution.stop_requested_at.value_or(execution.updated);
    return execution.waits.empty() ? execution.updated : execution.waits.front().opened;
}

Busy busy(std::string_view kind, std::string name, const std::optional<Timestamp>& started, Timestamp asked) {
    const Timestamp running = started.value_or(asked);
    return {.kind = kind, .name = std::move(name), .running = running, .waited_for = std::max(running, asked)};
}

}  // namespace

bool is_coming_to_rest(const JobExecution& execution) {
    return execution.status == BatchStatus::stopping || execution.status == BatchStatus::pausing;
}

std::vector<Busy> still_busy(const ExecutionView& view) {
    std::vector<Busy> all;
    if (!is_coming_to_rest(view.execution)) return all;
    const Timestamp asked = asked_at(view.execution);
    for (const StepExecution& step : view.steps) {
        if (step.status != BatchStatus::started) continue;
        const std::size_t before = all.size();
        if (const auto partitions = view.partitions.find(step.id); partitions != view.partitions.end())
            for (const PartitionExecution& each : partitions->second)
                if (each.status == BatchStatus::started)
                    all.push_back(
                        busy("partition", fmt::format("{}[{}]", step.name, each.number), each.started, asked));
        if (all.size() == before) all.push_back(busy("step", step.name, step.started, asked));
    }
    return all;
}

std::string busy_text(const ExecutionView& view) {
    const std::vector<Busy> all = still_busy(view);
    std::string text;
    for (std::size_t i = 0; i < std::min(all.size(), named_busy); ++i)
        text += fmt::format("{}{} {} runs since {}", i == 0 ? "" : "; ", all[i].kind, printable(all[i].name),
                            local_time(all[i].running));
    if (all.size() > named_busy) text += fmt::format("; and {} more", all.size() - named_busy);
    return text;
}

}  // namespace fermata::cli
