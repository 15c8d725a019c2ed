#pragma once
// Records as one JSON object a line, written exactly once (sink class T3).
#include <fermata/batch/artifacts.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/items/file/output_file.hpp>
#include <fermata/items/json/text.hpp>

#include <span>
#include <string>

namespace fermata::jsonl {

class JsonlWriter {
public:
    using item_type = Record;

    explicit JsonlWriter(const ArtifactContext& context);

    [[nodiscard]] static Sink sink() { return {.sink_class = SinkClass::file}; }
    void open(const Checkpoint& from) { file_.open(from); }
    /// Throws ConversionError for a value JSON has no form for; what was written of the chunk then goes at the next
    /// open().
    void write(std::span<Record> records, Transaction& transaction);
    [[nodiscard]] Checkpoint checkpoint() { return file_.checkpoint(); }
    void publish() { file_.publish(); }
    void close() { file_.close(); }

private:
    OutputFile file_;
    json::Text json_;
    std::string text_;
};

}  // namespace fermata::jsonl
