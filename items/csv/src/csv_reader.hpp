#pragma once
// Records of a CSV file. What is wrong with the file as a whole is told by open(); what is wrong with one record by
// read(), which then stands at the next line, so that it can be skipped.
#include "options.hpp"
#include "splitter.hpp"

#include <fermata/batch/record.hpp>
#include <fermata/items/file/input_file.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace fermata::csv {

class CsvReader {
public:
    using item_type = Record;

    explicit CsvReader(const ArtifactContext& context);
    CsvReader(std::filesystem::path path, ReaderOptions options, std::size_t block = InputFile::default_block);

    void open(const Checkpoint& from);
    bool read(Record& into);
    [[nodiscard]] Checkpoint checkpoint() { return file_.position().to_checkpoint(); }
    [[nodiscard]] std::string position() const;
    [[nodiscard]] double fraction() const noexcept;

private:
    void learn_columns();
    void learn_from_header();
    [[nodiscard]] std::vector<std::string> header_texts();
    void refuse_carriage_returns(const std::vector<std::string>& names) const;
    void select(const std::vector<std::string>& header);
    void number_columns();
    bool next_record();
    bool next_filled_record();
    void fill(Record& into);
    void name_source(RecordBatch& batch);
    [[nodiscard]] std::string_view as_utf8(std::string_view text, Arena& arena);
    [[nodiscard]] Value value_of(Field field, const char* record, std::string_view null, Arena& arena) const;
    [[nodiscard]] std::string_view without_doubled(std::string_view text, Arena& arena) const;
    void refuse_binary(std::string_view text) const;
    [[noreturn]] void refuse_encoding(std::string_view text) const;
    [[noreturn]] void refuse_count(std::string_view text) const;
    [[noreturn]] void refuse_record(Split split);
    [[nodiscard]] std::int64_t offset_in_record(std::size_t byte) const;

    ReaderOptions options_;
    InputFile file_;
    Splitter splitter_;
    ColumnsPtr columns_;
    std::size_t expected_ = 0;           ///< fields of a record; 0 until it is known
    std::vector<std::size_t> selected_;  ///< field number of each column; empty: all, in order
    const RecordBatch* named_ = nullptr;
    std::int64_t record_line_ = 0;  ///< of the record read last
};

}  // namespace fermata::csv
