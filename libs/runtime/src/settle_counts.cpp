#include "settle_counts.hpp"

#include <fermata/batch/properties.hpp>
#include <fermata/repository/sink_table.hpp>

namespace fermata {
namespace {

std::vector<SinkRow> rows_in(const SinkAddress& sink, const sql::Drivers& drivers, const std::string& instance_uuid) {
    try {
        const auto connection = drivers.open(reveal_url(sink.url))->connect(sql::OpenMode::read_only);
        return SinkTable::rows_of(*connection, sink.table, instance_uuid);
    } catch (const Error&) {
        return {};
    }
}

}  // namespace

void settle_counts(Repository& repository, const sql::Drivers& drivers, JobInstanceId instance) {
    const auto known = repository.find_instance(instance);
    if (!known) return;
    for (const SinkAddress& sink : repository.sinks_of(instance))
        for (const SinkRow& row : rows_in(sink, drivers, known->uuid))
            repository.settle_counts(row.step_execution, row.partition, row.progress);
}

}  // namespace fermata
