#pragma once
// The properties of kafkaReader beside url, topic and timeout.
#include "shape.hpp"

#include <fermata/batch/registry.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

namespace fermata::kafka {

struct ReaderOptions {
    enum class From : std::uint8_t { beginning, end, time };

    std::vector<std::int32_t> partitions;  ///< rising; empty = all
    From from = From::beginning;           ///< where a step begins that has no checkpoint
    std::int64_t from_time = 0;            ///< From::time: ms
    /// Nothing: until what was the end when the step began. Else until nothing came for so long.
    std::optional<std::chrono::milliseconds> idle;
    Format format = Format::text;
    std::vector<Column> columns;

    /// Throws Error(invalid).
    [[nodiscard]] static ReaderOptions of(const Properties& properties);
    [[nodiscard]] static std::vector<PropertyRule> rules();
    [[nodiscard]] static std::vector<PropertyInfo> info();
};

}  // namespace fermata::kafka
