#pragma once
#include <fermata/base/text.hpp>
#include <fermata/batch/checkpoint.hpp>
#include <fermata/batch/context.hpp>
#include <fermata/batch/record.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <limits>
#include <string>

namespace fermata::record {

/// The integers from `from` to `to`, both included, one a record.
class RangeReader {
public:
    using item_type = Record;

    explicit RangeReader(const ArtifactContext& context) : RangeReader(context.properties) {}
    /// Throws Error(invalid).
    explicit RangeReader(const Properties& properties)
        : from_(properties.get<std::int64_t>("from", 1)),
          to_(properties.require<std::int64_t>("to")),
          columns_(std::make_shared<Columns>(std::vector<std::string>{"value"})) {
        std::int64_t steps = 0;
        if (__builtin_sub_overflow(to_, from_, &steps) || steps == std::numeric_limits<std::int64_t>::max())
            throw properties.wrong("to", fmt::format("{} to {} are more numbers than can be counted", from_, to_));
    }

    void open(const Checkpoint& checkpoint) { read_ = checkpoint ? checkpoint.integer() : 0; }
    bool read(Record& into) {
        if (read_ >= size()) return false;
        into.reset(columns_)[0] = Value(value(read_++));
        into.set_origin(read_, {});
        return true;
    }
    [[nodiscard]] Checkpoint checkpoint() const { return Checkpoint::of(read_); }
    [[nodiscard]] std::string position() const {
        return fmt::format("value {}", value(std::max<std::int64_t>(read_ - 1, 0)));
    }
    [[nodiscard]] double fraction() const noexcept {
        return size() == 0 ? 1 : static_cast<double>(read_) / static_cast<double>(size());
    }

private:
    [[nodiscard]] std::int64_t size() const noexcept { return to_ < from_ ? 0 : to_ - from_ + 1; }
    [[nodiscard]] std::int64_t value(std::int64_t index) const noexcept { return from_ + index; }

    std::int64_t from_;
    std::int64_t to_;
    ColumnsPtr columns_;
    std::int64_t read_ = 0;
};

}  // namespace fermata::record
