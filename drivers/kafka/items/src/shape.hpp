#pragma once
// Messages as records.
#include <fermata/batch/record.hpp>
#include <fermata/items/json/objects.hpp>
#include <fermata/items/kafka/port.hpp>

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

namespace fermata::kafka {

enum class Format : std::uint8_t { text, json, bytes };
enum class Column : std::uint8_t { key, value, timestamp, partition, offset, headers };

[[nodiscard]] const std::vector<std::string>& format_names();
[[nodiscard]] const std::vector<std::string>& column_names();

/// A key or value is not UTF-8; `what()` says so, not where it stands.
struct NoText : std::runtime_error {
    using std::runtime_error::runtime_error;
};

class Shape {
public:
    /// With Format::json the object's own columns follow `columns`, in which Column::value says nothing then.
    Shape(Format format, std::vector<Column> columns);

    /// Throws NoText or json::NoObject.
    void fill(Record& into, const Message& message);

private:
    [[nodiscard]] std::span<Value> reset(Record& into, const Message& message, std::string_view raw);
    [[nodiscard]] Value cell(Column column, const Message& message, Arena& arena);
    [[nodiscard]] Value content(std::optional<std::string_view> bytes, Arena& arena) const;

    Format format_;
    std::vector<Column> columns_;  ///< without Column::value where that is an object
    ColumnsPtr names_;
    json::Objects objects_;
    std::string headers_;
};

}  // namespace fermata::kafka
