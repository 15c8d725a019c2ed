#include <fermata/items/json/text.hpp>

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/items/file/hex.hpp>

#include <fmt/format.h>

#include <cmath>

namespace fermata::json {
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

void put_value(const Record& record, std::size_t column, std::string& to) {
    const Value& value = record[column];
    const auto refuse = [&](std::string_view what) {
        throw ConversionError(
            fmt::format("{}: column \"{}\": {}", record.place(), printable(record.columns()->names()[column]), what),
            record.place(), std::string(record.raw()));
    };
    switch (value.kind()) {
        case Value::Kind::null:
            to += "null";
            return;
        case Value::Kind::boolean:
            to += value.boolean() ? "true" : "false";
            return;
        case Value::Kind::integer:
            to += fmt::format_int(value.integer()).c_str();
            return;
        case Value::Kind::real:
            if (!std::isfinite(value.real())) refuse(fmt::format("{} has no form in JSON", value.real()));
            fmt::format_to(std::back_inserter(to), "{}", value.real());
            return;
        case Value::Kind::text:
            if (!is_utf8(value.text())) refuse(fmt::format("\"{}\" is not UTF-8", printable(value.text(), 80)));
            return put_quoted(value.text(), to);
        case Value::Kind::bytes:
            return put_quoted(to_hex(value.bytes()), to);
    }
}

}  // namespace

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

void Text::put(const Record& record, std::string& to) {
    if (record.columns() != columns_) learn(record.columns());
    if (keys_.empty()) to += '{';
    for (std::size_t column = 0; column < keys_.size(); ++column) {
        to += keys_[column];
        put_value(record, column, to);
    }
    to += '}';
}

void Text::learn(const ColumnsPtr& columns) {
    keys_.clear();
    for (const std::string& name : columns->names()) {
        std::string key(keys_.empty() ? "{" : ",");
        put_quoted(name, key);
        keys_.push_back(key + ":");
    }
    columns_ = columns;
}

}  // namespace fermata::json
