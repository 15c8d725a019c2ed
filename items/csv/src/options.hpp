#pragma once
// The properties of csvReader and csvWriter, typed and checked against each other.
#include "encoding.hpp"

#include <fermata/batch/context.hpp>
#include <fermata/batch/registry.hpp>
#include <fermata/items/file/byte_range.hpp>

#include <cstdint>
#include <string>
#include <vector>

namespace fermata::csv {

/// How the text is written down; shared by reader and writer.
struct Dialect {
    bool header = true;
    std::vector<std::string> columns;  ///< empty: as the header, or the first record, says
    char delimiter = ',';
    char quote = '"';  ///< '\0': none
    std::string null;

    /// Throws Error(invalid).
    [[nodiscard]] static Dialect from(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
};

struct ReaderOptions {
    Dialect dialect;
    Encoding encoding = Encoding::utf8;
    bool may_be_empty = false;  ///< without the header line that is expected
    ByteRange range;
    std::size_t max_line = std::size_t{1} << 20;
    Properties properties;  ///< for messages about what only the file can tell

    [[nodiscard]] static ReaderOptions from(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
};

}  // namespace fermata::csv
