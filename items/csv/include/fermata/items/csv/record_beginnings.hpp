#pragma once
// Where the records of a CSV file begin, exactly as csvReader reads them: for those who divide a file among readers.
#include <fermata/batch/registry.hpp>

#include <cstdint>
#include <filesystem>
#include <vector>

namespace fermata::csv {

struct RecordBeginnings {
    std::vector<std::int64_t> offsets;  ///< in order; of the decompressed bytes, as everywhere
    std::int64_t size = 0;              ///< of the decompressed text
};

/// Reads the whole file, by the properties delimiter, quote and max-line of a csvReader, in constant memory. Of the
/// beginnings it keeps only such that are at least `stride` bytes behind the one before, and behind the start of the
/// file. Throws Error: what the reader's open() says of the file; invalid where no delimiter is given and the first
/// line looks as if it had another one.
[[nodiscard]] RecordBeginnings record_beginnings(const std::filesystem::path& path, const Properties& properties,
                                                 std::int64_t stride);
[[nodiscard]] std::vector<PropertyRule> record_rules();

}  // namespace fermata::csv
