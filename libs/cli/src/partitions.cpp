#include "partitions.hpp"

#include "execution_view.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::cli {

namespace {

std::string properties_of(const PartitionExecution& partition) {
    std::string text;
    for (const auto& [name, value] : partition.properties)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
    return printable(text);
}

Row row_of(const StepExecution& step, const PartitionExecution& partition) {
    const Metrics& metrics = partition.metrics;
    const std::int64_t skips = metrics.read_skips + metrics.process_skips + metrics.write_skips;
    return {.cells = {printable(step.name), std::to_string(partition.number), std::string(to_string(partition.status)),
                      printable(partition.exit_status.value_or("")), std::to_string(metrics.read),
                      std::to_string(metrics.written), std::to_string(skips),
                      partition.started ? to_human(duration_of(partition.started, partition.ended)) : "",
                      printable(partition.worker), properties_of(partition)},
            .object = to_json(partition),
            .name = std::to_string(partition.number)};
}

}  // namespace

void print_partitions(Session& session, JobExecutionId execution) {
    std::vector<Row> rows;
    for (const auto& step : session.repository().steps_of(execution)) {
        if (!step.partitions) continue;
        for (const auto& partition : session.repository().partitions_of(step.id))
            rows.push_back(row_of(step, partition));
    }
    session.out().rows({{"STEP"},
                        {"N", true},
                        {"STATUS"},
                        {"EXIT STATUS"},
                        {"READ", true},
                        {"WRITTEN", true},
                        {"SKIPS", true},
                        {"DURATION", true},
                        {"WORKER"},
                        {"PROPERTIES"}},
                       rows);
}

}  // namespace fermata::cli
