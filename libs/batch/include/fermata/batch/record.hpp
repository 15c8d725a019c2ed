#pragma once
// The item of the stock artifacts: one row of a chunk-owned batch. The batch keeps all text of the chunk in one arena
// and forgets it at the next chunk, so reading a row allocates nothing once the first chunk has grown it.
#include <fermata/base/value.hpp>

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
    explicit Columns(std::vector<std::string> names) : names_(std::move(names)) {}
    [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }
    [[nodiscard]] std::size_t size() const noexcept { return names_.size(); }
    [[nodiscard]] std::optional<std::size_t> find(std::string_view name) const;

private:
    std::vector<std::string> names_;
};
using ColumnsPtr = std::shared_ptr<const Columns>;

/// Text of one chunk. Addresses stay until clear(); blocks are kept and used again.
class Arena {
public:
    /// `size` bytes, not initialised.
    [[nodiscard]] char* allocate(std::size_t size) {
        if (size > left_) return grow(size);
        char* place = next_;
        next_ += size;
        left_ -= size;
        return place;
    }
    [[nodiscard]] std::string_view copy(std::string_view text) {
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

/// A handle: copying it copies no data. Valid until its chunk ends.
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
    /// "vendors.csv:612"
    [[nodiscard]] std::string place() const;

    /// For readers and processors: gives this row its shape, all values null.
    std::span<Value> reset(const ColumnsPtr& columns);
    void set_origin(std::int64_t position, std::string_view raw);
    [[nodiscard]] Arena& arena();
    [[nodiscard]] RecordBatch& batch() { return *batch_; }

private:
    RecordBatch* batch_ = nullptr;
    std::uint32_t row_ = 0;
};

/// Rows of one chunk.
class RecordBatch {
public:
    [[nodiscard]] Arena& arena() noexcept { return arena_; }
    void clear() noexcept;
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
    };
    std::vector<Row> rows_;
    Arena arena_;
    std::vector<std::unique_ptr<Value[]>> cells_;
};

}  // namespace fermata
