#pragma once
// The item of the stock artifacts: one row of a chunk-owned batch. The batch keeps all text of the chunk in one arena
// and forgets it at the next chunk, so reading a row allocates nothing once the first chunk has grown it.
#include <fermata/base/value.hpp>

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace fermata {

/// Column names, shared by all rows of a reader. Compared by address first.
class Columns {
public:
    explicit Columns(std::vector<std::string> names);
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
    /// Of equal names the first; case counts.
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

private:
    std::vector<std::string> names_;
    std::vector<std::uint32_t> slots_;  ///< open hash table of column number + 1; empty for few columns
};
using ColumnsPtr = std::shared_ptr<const Columns>;

/// Text of one chunk. Addresses stay until clear(); blocks are kept and used again.
class Arena {
public:
    Arena() = default;
    Arena(const Arena&) = delete;
    Arena& operator=(const Arena&) = delete;
    /// `size` bytes, not initialised.
    [[nodiscard]] char* allocate(std::size_t size) {
        if (size > left_) return grow(size);
        char* place = next_;
        next_ += size;
        left_ -= size;
        return place;
    }
    [[nodiscard]] std::string_view copy(std::string_view text) {
        if (text.empty()) return "";
        char* place = allocate(text.size());
        std::memcpy(place, text.data(), text.size());
        return {place, text.size()};
    }
    void clear() noexcept;

private:
    char* grow(std::size_t size);
    struct Block {
        std::unique_ptr<char[]> bytes;
        std::size_t size = 0;
    };
    std::vector<Block> blocks_;
    std::size_t used_ = 0;  ///< blocks in use
    char* next_ = nullptr;
    std::size_t left_ = 0;
};

class RecordBatch;

/// A handle: copying it copies no data. Valid until its chunk ends. REQUIRES for every call: it came from a batch and
/// was given a shape with reset() in this chunk.
class Record {
public:
    Record() = default;
    Record(RecordBatch* batch, std::uint32_t row) : batch_(batch), row_(row) {}

    [[nodiscard]] const ColumnsPtr& columns() const;
    [[nodiscard]] std::span<const Value> values() const;
    [[nodiscard]] const Value& operator[](std::size_t column) const { return values()[column]; }
    /// Null value if there is no such column.
    [[nodiscard]] Value operator[](std::string_view column) const;
    /// Line or record number in the source, from 1; 0 = unknown.
    [[nodiscard]] std::int64_t position() const;
    /// The record as it was read; may be empty.
    [[nodiscard]] std::string_view raw() const;
    /// What tells this record from others of the source where no number does, as its key; may be empty.
    [[nodiscard]] std::string_view name() const;
    /// "vendors.csv:612", `vendor "DE-7"`; "vendors.csv" or "record 612" if the other is unknown, empty if both are.
    [[nodiscard]] std::string place() const;

    /// For readers and processors: gives this row its shape, all values null, no origin.
    std::span<Value> reset(const ColumnsPtr& columns);
    /// `raw` is borrowed: keep it in arena().
    void set_origin(std::int64_t position, std::string_view raw);
    /// Borrowed, too.
    void set_name(std::string_view name);
    [[nodiscard]] Arena& arena();
    [[nodiscard]] RecordBatch& batch() { return *batch_; }

private:
    RecordBatch* batch_ = nullptr;
    std::uint32_t row_ = 0;
};

/// Rows of one chunk.
class RecordBatch {
public:
    RecordBatch() = default;
    RecordBatch(const RecordBatch&) = delete;
    RecordBatch& operator=(const RecordBatch&) = delete;
    [[nodiscard]] Arena& arena() noexcept { return arena_; }
    /// Ends the chunk: all text goes, rows keep their shape and cells for the next one.
    void clear() noexcept { arena_.clear(); }
    void ensure_rows(std::size_t rows);
    std::string source;  ///< name of the file or table, for place()

private:
    friend class Record;
    struct Row {
        ColumnsPtr columns;
        Value* values = nullptr;
        std::size_t capacity = 0;
        std::int64_t position = 0;
        std::string_view raw;
        std::string_view name;
    };
    std::vector<Row> rows_;
    Arena arena_;
    void grow(Row& row, std::size_t columns);
    std::vector<std::unique_ptr<Value[]>> cells_;
    Value* next_cell_ = nullptr;
    std::size_t left_cells_ = 0;
};

// What runs once a row or once a cell is inline.
inline const ColumnsPtr& Record::columns() const { return batch_->rows_[row_].columns; }
inline std::span<const Value> Record::values() const {
    const auto& row = batch_->rows_[row_];
    return {row.values, row.columns->size()};
}
inline std::int64_t Record::position() const { return batch_->rows_[row_].position; }
inline std::string_view Record::raw() const { return batch_->rows_[row_].raw; }
inline std::span<Value> Record::reset(const ColumnsPtr& columns) {
    auto& row = batch_->rows_[row_];
    // The same shape as in the last chunk, which is the rule, costs no reference count.
    if (row.columns != columns) row.columns = columns;
    const std::size_t size = columns->size();
    if (size > row.capacity) batch_->grow(row, size);
    std::fill_n(row.values, size, Value());
    row.position = 0;
    row.raw = row.name = {};
    return {row.values, size};
}
inline void Record::set_origin(std::int64_t position, std::string_view raw) {
    auto& row = batch_->rows_[row_];
    row.position = position;
    row.raw = raw;
}
inline std::string_view Record::name() const { return batch_->rows_[row_].name; }
inline void Record::set_name(std::string_view name) { batch_->rows_[row_].name = name; }
inline Arena& Record::arena() { return batch_->arena(); }

}  // namespace fermata
