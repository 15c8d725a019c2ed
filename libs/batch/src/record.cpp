#include <fermata/base/text.hpp>
#include <fermata/batch/record.hpp>

#include <fmt/format.h>

#include <bit>
#include <functional>

namespace fermata {
namespace {

// Comparing lengths first makes a scan of few names cheaper than one hash.
constexpr std::size_t few_columns = 12;
constexpr std::size_t smallest_block = std::size_t{64} << 10;
constexpr std::size_t cells_per_slab = 1024;

}  // namespace

Columns::Columns(std::vector<std::string> names) : names_(std::move(names)) {
    if (names_.size() <= few_columns) return;
    slots_.resize(std::bit_ceil(names_.size() * 2));
    for (std::uint32_t column = 0; column < names_.size(); ++column) {
        std::size_t slot = std::hash<std::string_view>{}(names_[column]);
        while (slots_[slot & (slots_.size() - 1)] != 0) ++slot;
        slots_[slot & (slots_.size() - 1)] = column + 1;
    }
}

std::optional<std::size_t> Columns::find(std::string_view name) const {
    if (slots_.empty()) {
        const auto found = std::ranges::find(names_, name);
        return found == names_.end() ? std::nullopt : std::optional<std::size_t>(found - names_.begin());
    }
    for (std::size_t slot = std::hash<std::string_view>{}(name);; ++slot) {
        const std::uint32_t column = slots_[slot & (slots_.size() - 1)];
        if (column == 0) return std::nullopt;
        if (names_[column - 1] == name) return column - 1;
    }
}

void Arena::clear() noexcept {
    used_ = 0;
    next_ = nullptr;
    left_ = 0;
}

char* Arena::grow(std::size_t size) {
    // A kept block that is too small is passed over until the next clear().
    while (used_ < blocks_.size() && blocks_[used_].size < size) ++used_;
    if (used_ == blocks_.size()) {
        const std::size_t doubled = blocks_.empty() ? smallest_block : blocks_.back().size * 2;
        const std::size_t wanted = std::max(size, doubled);
        blocks_.push_back({std::make_unique_for_overwrite<char[]>(wanted), wanted});
    }
    const Block& block = blocks_[used_++];
    next_ = block.bytes.get() + size;
    left_ = block.size - size;
    return block.bytes.get();
}

Value Record::operator[](std::string_view column) const {
    const auto found = columns()->find(column);
    return found ? values()[*found] : Value();
}

std::string Record::place() const {
    const std::string& source = batch_->source;
    if (!name().empty()) return fmt::format("{}{}\"{}\"", source, source.empty() ? "" : " ", printable(name()));
    if (position() == 0) return source;
    return source.empty() ? fmt::format("record {}", position()) : fmt::format("{}:{}", source, position());
}

void RecordBatch::ensure_rows(std::size_t rows) {
    if (rows > rows_.size()) rows_.resize(rows);
}

void RecordBatch::grow(Row& row, std::size_t columns) {
    // The cells a row had before are lost until the batch ends; doubling keeps that below what is in use.
    const std::size_t wanted = std::max(columns, row.capacity * 2);
    if (wanted > left_cells_) {
        left_cells_ = std::max(wanted, cells_per_slab);
        cells_.push_back(std::make_unique<Value[]>(left_cells_));
        next_cell_ = cells_.back().get();
    }
    row.values = next_cell_;
    row.capacity = wanted;
    next_cell_ += wanted;
    left_cells_ -= wanted;
}

}  // namespace fermata
