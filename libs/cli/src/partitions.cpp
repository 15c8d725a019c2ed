#include "partitions.hpp"

#include "execution_view.hpp"
#include "plain_time.hpp"
#include "report.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::cli {

namespace {

std::string properties_of(const PartitionExecution& partition) {
    std::string text;
    for (const auto& [name, value] : partition.properties)
        text += fmt::format("{}{}={}", text.empty() ? "" : " ", name, value);
    return text;
}

const std::vector<std::string> plain_titles{"STEP", "N",       "STATUS",   "EXIT_STATUS", "STARTED", "ENDED",
                                            "READ", "WRITTEN", "FILTERED", "SKIPS",       "WORKER",  "PROPERTIES"};

std::vector<std::string> plain_cells_of(const StepExecution& step, const PartitionExecution& partition) {
    const Metrics& metrics = partition.metrics;
    return {step.name,
            std::to_string(partition.number),
            std::string(to_string(partition.status)),
            partition.exit_status.value_or(""),
            plain_time(partition.started),
            plain_time(partition.ended),
            std::to_string(metrics.read),
            std::to_string(metrics.written),
            std::to_string(metrics.filtered),
            std::to_string(skipped(metrics)),
            partition.worker,
            properties_of(partition)};
}

Row row_of(const StepExecution& step, const PartitionExecution& partition) {
    const Metrics& metrics = partition.metrics;
    return {.cells = {printable(step.name), std::to_string(partition.number), std::string(to_string(partition.status)),
                      printable(partition.exit_status.value_or("")), std::to_string(metrics.read),
                      std::to_string(metrics.written), std::to_string(skipped(metrics)),
                      partition.started ? to_human(duration_of(partition.started, partition.ended)) : "",
                      printable(partition.worker), printable(properties_of(partition))},
            .object = to_json(partition),
            .name = std::to_string(partition.number),
            .plain = plain_cells_of(step, partition)};
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
                       rows, plain_titles);
}

}  // namespace fermata::cli
