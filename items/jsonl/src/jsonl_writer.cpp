#include "jsonl_writer.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/hex.hpp>

#include <fmt/format.h>

#include <cmath>

namespace fermata::jsonl {
namespace {

/// REQUIRES: a control character, a quote or a backslash.
void put_escaped(char c, std::string& to) {
    switch (c) {
        case '"':
            to += "\\\"";
            return;
        case '\\':
            to += "\\\\";
            return;
        case '\n':
            to += "\\n";
            return;
        case '\r':
            to += "\\r";
            return;
        case '\t':
            to += "\\t";
            return;
        default:
            to += fmt::format("\\u{:04x}", static_cast<unsigned>(c));
    }
}

void put_quoted(std::string_view text, std::string& to) {
    to += '"';
    while (!text.empty()) {
        std::size_t plain = 0;
        while (plain < text.size() && static_cast<unsigned char>(text[plain]) >= 0x20 && text[plain] != '"' &&
               text[plain] != '\\')
            ++plain;
        to += text.substr(0, plain);
        if (plain < text.size()) put_escaped(text[plain++], to);
        text.remove_prefix(plain);
    }
    to += '"';
}

}  // namespace

JsonlWriter::JsonlWriter(const ArtifactContext& context)
    : file_(context.step->resolve_path(context.properties.require<std::string>("resource")),
            exists_of(context.properties, Exists::fail), context.job.instance_uuid, context.step->step_name) {}

void JsonlWriter::write(std::span<Record> records, Transaction&) {
    text_.clear();
    for (const Record& record : records) {
        if (record.columns() != columns_) learn(record.columns());
        put(record);
    }
    file_.write(text_);
}

void JsonlWriter::learn(const ColumnsPtr& columns) {
    keys_.clear();
    for (const std::string& name : columns->names()) {
        std::string key(keys_.empty() ? "{" : ",");
        put_quoted(name, key);
        keys_.push_back(key + ":");
    }
    columns_ = columns;
}

void JsonlWriter::put(const Record& record) {
    if (keys_.empty()) text_ += '{';
    for (std::size_t column = 0; column < keys_.size(); ++column) {
        text_ += keys_[column];
        put(record, column);
    }
    text_ += "}\n";
}

void JsonlWriter::put(const Record& record, std::size_t column) {
    const Value& value = record[column];
    const auto refuse = [&](std::string_view what) {
        throw ConversionError(
            fmt::format("{}: column \"{}\": {}", record.place(), printable(record.columns()->names()[column]), what),
            record.place(), std::string(record.raw()));
    };
    switch (value.kind()) {
        case Value::Kind::null:
            text_ += "null";
            return;
        case Value::Kind::boolean:
            text_ += value.boolean() ? "true" : "false";
            return;
        case Value::Kind::integer:
            text_ += fmt::format_int(value.integer()).c_str();
            return;
        case Value::Kind::real:
            if (!std::isfinite(value.real())) refuse(fmt::format("{} has no form in JSON", value.real()));
            fmt::format_to(std::back_inserter(text_), "{}", value.real());
            return;
        case Value::Kind::text:
            if (!is_utf8(value.text())) refuse(fmt::format("\"{}\" is not UTF-8", printable(value.text(), 80)));
            return put_quoted(value.text(), text_);
        case Value::Kind::bytes:
            return put_quoted(to_hex(value.bytes()), text_);
    }
}

}  // namespace fermata::jsonl
