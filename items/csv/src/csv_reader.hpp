#pragma once
// Records of a CSV file. What is wrong with the file as a whole is told by open(); what is wrong with one record by
// read(), which then stands at the next line, so that it can be skipped. While a step waits for the commit behind a
// checkpoint, it looks ahead: as many records as there were lines before the checkpoint are made ready to be handed
// out.
#include "options.hpp"
#include "splitter.hpp"

#include <fermata/base/idle_work.hpp>
#include <fermata/batch/record.hpp>
#include <fermata/items/file/input_file.hpp>

#include <array>
#include <exception>
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
    [[nodiscard]] Checkpoint checkpoint();
    [[nodiscard]] std::string position() const;
    [[nodiscard]] double fraction() const noexcept;

private:
    /// Records that were read before anybody asked for them. The file still stands before those not handed out.
    struct Ahead {
        struct Size {
            std::size_t bytes;  ///< with blank lines before it
            std::int64_t lines;
        };
        RecordBatch batch;
        std::vector<Size> sizes;
        std::size_t handed_out = 0;
        [[nodiscard]] bool has_more() const noexcept { return handed_out < sizes.size(); }
        void clear() noexcept;
    };
    void learn_columns();
    void learn_from_header();
    [[nodiscard]] std::vector<std::string> header_texts();
    void refuse_carriage_returns(const std::vector<std::string>& names) const;
    void select(const std::vector<std::string>& header);
    void number_columns();
    bool next_record();
    bool next_filled_record();
    void fill(Record& into);
    void set_values(Record& into, std::string_view kept) const;
    void withdraw() noexcept;
    bool hand_out(Record& into);
    void look_ahead() noexcept;
    void find_ahead(Ahead& found);
    [[nodiscard]] bool is_sound(std::string_view text) const;
    bool more();
    void forget_ahead() noexcept;
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

    // Two in turn: what was handed out of the one is used until the commit during which the other is filled.
    std::array<Ahead, 2> aheads_;
    std::size_t ahead_ = 0;  ///< of them the one that is handed out
    std::int64_t checkpoint_line_ = 0;
    std::int64_t lines_before_checkpoint_ = 0;  ///< from the one before it
    std::exception_ptr failure_;                ///< met ahead: to be told where it stands
    bool is_offered_ = false;
    bool may_be_ahead_ = false;  ///< false: there is nothing to hand out or to withdraw
    IdleWork work_{[this] { look_ahead(); }};
};

}  // namespace fermata::csv
