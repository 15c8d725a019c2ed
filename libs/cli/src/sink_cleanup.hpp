#pragma once
// The rows that purged instances have in other databases.
#include <fermata/repository/repository.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fermata::cli {

struct SinkLeft {
    SinkAddress sink;
    std::size_t instances = 0;
    std::string error;
};
struct SinkCleanup {
    std::int64_t rows = 0;
    std::vector<SinkLeft> left;  ///< could not be opened or written: their rows stay
};

/// Tries every sink, whatever becomes of the others.
[[nodiscard]] SinkCleanup remove_sink_rows(const sql::Drivers& drivers, const PurgeResult& purged);
/// One JSON object.
[[nodiscard]] std::string to_json(const SinkLeft& left);

}  // namespace fermata::cli
