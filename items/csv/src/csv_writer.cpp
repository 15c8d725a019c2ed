#include "csv_writer.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

namespace fermata::csv {
namespace {

/// "4:name5:price"
std::string joined(const std::vector<std::string>& columns) {
    std::string text;
    for (const std::string& name : columns) text += fmt::format("{}:{}", name.size(), name);
    return text;
}

std::vector<std::string> parted(std::string_view text) {
    std::vector<std::string> columns;
    while (!text.empty()) {
        const std::size_t colon = text.find(':');
        const auto size = parse_int64(text.substr(0, colon));
        if (colon == std::string_view::npos || !size || *size < 0 ||
            static_cast<std::size_t>(*size) > text.size() - colon - 1)
            throw Error(ErrorKind::refused, "checkpoint unreadable: the columns of csvWriter",
                        "was the step's writer changed? start a new instance");
        columns.emplace_back(text.substr(colon + 1, static_cast<std::size_t>(*size)));
        text.remove_prefix(colon + 1 + static_cast<std::size_t>(*size));
    }
    return columns;
}

}  // namespace

CsvWriter::CsvWriter(const ArtifactContext& context)
    : dialect_(Dialect::from(context.properties)),
      file_(context.properties.require<std::string>("resource"), exists_of(context.properties, Exists::fail), context) {
}

void CsvWriter::open(const Checkpoint& from) {
    matched_.reset();
    columns_.clear();
    if (!from) {
        file_.open({});
        if (!dialect_.columns.empty()) begin(dialect_.columns);
        return;
    }
    const std::string& bytes = from.bytes();
    const std::size_t line = std::min(bytes.find('\n'), bytes.size());
    file_.open(Checkpoint(bytes.substr(0, line)));
    if (line < bytes.size()) columns_ = parted(std::string_view(bytes).substr(line + 1));
}

Checkpoint CsvWriter::checkpoint() {
    return Checkpoint(fmt::format("{}\n{}", file_.checkpoint().bytes(), joined(columns_)));
}

/// REQUIRES: nothing was written yet.
void CsvWriter::begin(std::vector<std::string> columns) {
    columns_ = std::move(columns);
    if (!dialect_.header) return;
    text_.clear();
    for (const std::string& name : columns_) {
        if (!text_.empty()) text_ += dialect_.delimiter;
        put_text(name);
    }
    if (file_.length() > 0) return adopt_header(text_);
    file_.write(text_ + "\n");
}

/// Appending to a file that has lines already.
void CsvWriter::adopt_header(const std::string& header) const {
    const std::string found = file_.first_line();
    if (found == header) return;
    throw Error(ErrorKind::conflict,
                fmt::format(R"(cannot append to "{}": its header is "{}", the records have "{}")",
                            file_.target().string(), printable(found), printable(header)),
                "set the property columns to those of the file");
}

void CsvWriter::write(std::span<Record> records, Transaction&) {
    if (records.empty()) return;
    if (columns_.empty()) begin(records.front().columns()->names());
    text_.clear();
    for (const Record& record : records) {
        if (record.columns() != matched_) match(record);
        put(record);
    }
    file_.write(text_);
}

void CsvWriter::match(const Record& record) {
    const std::vector<std::string>& names = record.columns()->names();
    const auto refuse = [&](const std::string& what) {
        throw ValidationError(fmt::format("{}: {}", record.place(), what), record.place(), std::string(record.raw()));
    };
    selected_.clear();
    for (const std::string& name : columns_) {
        const auto found = record.columns()->find(name);
        if (!found)
            refuse(fmt::format("the record has no column \"{}\"{}", printable(name), did_you_mean(name, names)));
        selected_.push_back(*found);
    }
    if (dialect_.columns.empty())
        for (const std::string& name : names)
            if (std::ranges::find(columns_, name) == columns_.end())
                refuse(fmt::format("the first record had no column \"{}\"; list all in the property columns",
                                   printable(name)));
    matched_ = record.columns();
}

void CsvWriter::put(const Record& record) {
    bool first = true;
    for (const std::size_t column : selected_) {
        if (!std::exchange(first, false)) text_ += dialect_.delimiter;
        put(record[column]);
    }
    text_ += '\n';
}

void CsvWriter::put(const Value& value) {
    switch (value.kind()) {
        case Value::Kind::null:
            text_ += dialect_.null;
            return;
        case Value::Kind::text:
            return put_text(value.text());
        case Value::Kind::boolean:
            return put_text(value.boolean() ? "true" : "false");
        case Value::Kind::integer:
            return put_text(std::string_view(fmt::format_int(value.integer()).c_str()));
        case Value::Kind::real:
            return put_text(fmt::format("{}", value.real()));
        case Value::Kind::bytes:
            return put_text(to_hex(value.bytes()));
    }
}

void CsvWriter::put_text(std::string_view text) {
    if (!needs_quotes(text)) {
        text_ += text;
        return;
    }
    if (dialect_.quote == '\0')
        throw ConversionError(
            fmt::format("\"{}\" cannot be written without quotes: it holds the delimiter or a line "
                        "end, or reads as null; set the property quote",
                        printable(text, 80)));
    text_ += dialect_.quote;
    for (const char c : text) {
        if (c == dialect_.quote) text_ += c;
        text_ += c;
    }
    text_ += dialect_.quote;
}

bool CsvWriter::needs_quotes(std::string_view text) const {
    if (text == dialect_.null) return true;
    return std::ranges::any_of(text, [&](char c) {
        return c == dialect_.delimiter || c == '\n' || c == '\r' || (c == dialect_.quote && c != '\0');
    });
}

}  // namespace fermata::csv
