#pragma once
// Records as CSV, written exactly once (sink class T3). The columns are those of the property or of the first record;
// they are kept in the checkpoint, so that a restart goes on with the same ones.
#include "options.hpp"

#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/items/file/hex.hpp>
#include <fermata/items/file/output_file.hpp>

#include <span>
#include <string>
#include <utility>
#include <vector>

namespace fermata::csv {

class CsvWriter {
public:
    using item_type = Record;

    explicit CsvWriter(const ArtifactContext& context);

    [[nodiscard]] static Sink sink() { return {.sink_class = SinkClass::file}; }
    void open(const Checkpoint& from);
    /// Throws ValidationError for a record of other columns, ConversionError for a value that cannot be written; what
    /// was written of the chunk then goes at the next open().
    void write(std::span<Record> records, Transaction& transaction);
    [[nodiscard]] Checkpoint checkpoint();
    void publish() { file_.publish(); }
    void close() { file_.close(); }

private:
    void begin(std::vector<std::string> columns);
    void adopt_header(const std::string& header) const;
    void match(const Record& record);
    void put(const Record& record);
    void put(const Value& value);
    void put_text(std::string_view text);
    [[nodiscard]] bool needs_quotes(std::string_view text) const;

    Dialect dialect_;
    OutputFile file_;
    std::vector<std::string> columns_;  ///< empty until they are known
    ColumnsPtr matched_;                ///< the shape selected_ is for
    std::vector<std::size_t> selected_;
    std::string text_;
};

}  // namespace fermata::csv
