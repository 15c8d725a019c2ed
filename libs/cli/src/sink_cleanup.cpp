#include "sink_cleanup.hpp"

#include <fermata/batch/properties.hpp>
#include <fermata/repository/facts.hpp>
#include <fermata/repository/sink_table.hpp>

namespace fermata::cli {

SinkCleanup remove_sink_rows(const sql::Drivers& drivers, const PurgeResult& purged) {
    SinkCleanup cleanup;
    for (const auto& [sink, uuids] : purged.sinks) {
        try {
            const auto connection = drivers.open(reveal_url(sink.url))->connect(sql::OpenMode::read_write);
            cleanup.rows += SinkTable::remove(*connection, sink.table, uuids);
        } catch (const Error& error) {
            cleanup.left.push_back({sink, uuids.size(), error.what()});
        }
    }
    return cleanup;
}

std::string to_json(const SinkLeft& left) {
    return facts({{"url", std::string_view(left.sink.url)},
                  {"table", std::string_view(left.sink.table)},
                  {"instances", static_cast<std::int64_t>(left.instances)},
                  {"error", std::string_view(left.error)}});
}

}  // namespace fermata::cli
