#include "shape.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/hex.hpp>
#include <fermata/items/json/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::kafka {
namespace {

std::vector<std::string> names_of(const std::vector<Column>& columns) {
    std::vector<std::string> names;
    for (const Column column : columns) names.push_back(column_names()[static_cast<std::size_t>(column)]);
    return names;
}

std::vector<Column> own_columns(Format format, std::vector<Column> columns) {
    if (format == Format::json) std::erase(columns, Column::value);
    return columns;
}

void put_text(std::string_view bytes, std::string& to) {
    if (is_utf8(bytes)) return json::put_quoted(bytes, to);
    json::put_quoted(to_hex(std::as_bytes(std::span(bytes))), to);
}

/// {"name":"value"}; of equal names the last, as Kafka's own lastHeader().
void put_headers(std::span<const Header> headers, std::string& to) {
    to.clear();
    to += '{';
    for (auto header = headers.begin(); header != headers.end(); ++header) {
        if (std::any_of(header + 1, headers.end(), [&](const Header& later) { return later.name == header->name; }))
            continue;
        if (to.size() > 1) to += ',';
        put_text(header->name, to);
        to += ':';
        if (header->value)
            put_text(*header->value, to);
        else
            to += "null";
    }
    to += '}';
}

}  // namespace

const std::vector<std::string>& format_names() {
    static const std::vector<std::string> names{"text", "json", "bytes"};
    return names;
}

const std::vector<std::string>& column_names() {
    static const std::vector<std::string> names{"key", "value", "timestamp", "partition", "offset", "headers"};
    return names;
}

Shape::Shape(Format format, std::vector<Column> columns)
    : format_(format),
      columns_(own_columns(format, std::move(columns))),
      names_(std::make_shared<const Columns>(names_of(columns_))),
      objects_(names_of(columns_)) {}

void Shape::fill(Record& into, const Message& message) {
    const std::string_view raw = json::Objects::keep(into, message.value.value_or(""));
    const std::span<Value> cells = reset(into, message, raw);
    for (std::size_t i = 0; i < columns_.size(); ++i) cells[i] = cell(columns_[i], message, into.arena());
    into.set_origin(message.offset, raw);
}

std::span<Value> Shape::reset(Record& into, const Message& message, std::string_view raw) {
    if (format_ != Format::json) return into.reset(names_);
    if (!message.value) throw json::NoObject("no value: a tombstone");
    return objects_.fill(into, raw);
}

Value Shape::cell(Column column, const Message& message, Arena& arena) {
    switch (column) {
        case Column::key:
            return content(message.key, arena);
        case Column::value:
            return content(message.value, arena);
        case Column::timestamp:
            return message.timestamp ? Value(*message.timestamp) : Value();
        case Column::partition:
            return static_cast<std::int64_t>(message.partition);
        case Column::offset:
            return message.offset;
        case Column::headers:
            put_headers(message.headers, headers_);
            return arena.copy(headers_);
    }
    return {};
}

Value Shape::content(std::optional<std::string_view> bytes, Arena& arena) const {
    if (!bytes) return {};
    const std::string_view copy = arena.copy(*bytes);
    if (format_ == Format::bytes) return std::as_bytes(std::span(copy));
    if (!is_utf8(copy)) throw NoText(fmt::format("\"{}\" is not UTF-8", printable(copy, 80)));
    return copy;
}

}  // namespace fermata::kafka
