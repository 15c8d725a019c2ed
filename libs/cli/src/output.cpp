#include "output.hpp"

#include <fmt/format.h>
#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

namespace fermata::cli {

namespace {

std::string table_line(const std::vector<Column>& columns, const std::vector<std::size_t>& widths,
                       const std::vector<std::string>& cells) {
    std::string line;
    for (std::size_t i = 0; i < cells.size(); ++i) {
        if (i != 0) line += "  ";
        line += pad(cells[i], widths[i], columns[i].number);
    }
    line.erase(line.find_last_not_of(' ') + 1);
    return line + "\n";
}

std::vector<std::string> titles_of(const std::vector<Column>& columns) {
    std::vector<std::string> titles;
    for (const Column& column : columns) titles.push_back(column.title);
    return titles;
}

std::string as_table(const std::vector<Column>& columns, const std::vector<Row>& rows) {
    std::vector<std::size_t> widths;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        std::size_t width = columns[i].title.size();
        for (const auto& row : rows) width = std::max(width, width_of(row.cells[i]));
        widths.push_back(width);
    }
    std::string text = table_line(columns, widths, titles_of(columns));
    for (const auto& row : rows) text += table_line(columns, widths, row.cells);
    return text;
}

/// A tab or a line feed in a value would make two of it.
std::string tsv_line(const std::vector<std::string>& cells) {
    std::string line;
    for (const std::string& cell : cells)
        line += (&cell == cells.data() ? "" : "\t") + printable(cell, 4 * cell.size() + 1);
    return line + "\n";
}

std::string as_tsv(const std::vector<std::string>& titles, const std::vector<Row>& rows) {
    std::string text = tsv_line(titles);
    for (const auto& row : rows) text += tsv_line(row.plain.empty() ? row.cells : row.plain);
    return text;
}

std::string as_json(const std::vector<Row>& rows) {
    std::string text = "[";
    for (std::size_t i = 0; i < rows.size(); ++i) text += (i == 0 ? "\n" : ",\n") + rows[i].object;
    return text + (rows.empty() ? "]\n" : "\n]\n");
}

}  // namespace

std::string Style::paint(std::string_view code, std::string_view text) const {
    return color ? fmt::format("\x1b[{}m{}\x1b[0m", code, text) : std::string(text);
}

std::size_t width_of(std::string_view text) {
    std::size_t width = 0;
    bool in_color = false;
    for (const char c : text) {
        if (c == '\x1b') in_color = true;
        if (!in_color && (static_cast<unsigned char>(c) & 0xC0U) != 0x80U) ++width;
        if (in_color && c == 'm') in_color = false;
    }
    return width;
}

std::string pad(std::string_view text, std::size_t width, bool right) {
    const std::size_t have = width_of(text);
    const std::string space(have < width ? width - have : 0, ' ');
    return right ? space + std::string(text) : std::string(text) + space;
}

std::string_view to_string(Format format) {
    constexpr std::string_view names[] = {"table", "json", "jsonl", "tsv", "name"};
    return names[static_cast<std::size_t>(format)];
}

void Output::rows(const std::vector<Column>& columns, const std::vector<Row>& rows,
                  const std::vector<std::string>& plain) {
    switch (format_) {
        case Format::table:
            return write(as_table(columns, rows));
        case Format::tsv:
            return write(as_tsv(plain.empty() ? titles_of(columns) : plain, rows));
        case Format::json:
            return write(as_json(rows));
        case Format::jsonl:
            for (const auto& row : rows) write(row.object + "\n");
            return;
        case Format::name:
            for (const auto& row : rows) write(row.name + "\n");
            return;
    }
}

void Output::one(std::string_view text, std::string_view object, std::string_view name) {
    if (wants_json())
        write(fmt::format("{}\n", object));
    else if (format_ == Format::name)
        write(fmt::format("{}\n", name));
    else
        write(text);
}

void Output::write(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stdout); }

void Output::push() noexcept { std::fflush(stdout); }

void Output::flush() {
    if (std::fflush(stdout) == 0 && std::ferror(stdout) == 0) return;
    if (errno == EPIPE) return;
    throw Error(ErrorKind::failed, fmt::format("cannot write to stdout: {}", std::strerror(errno)));
}

void Output::note(std::string_view line) { note_raw(printable(line, 4 * line.size() + 1)); }

void Output::note_raw(std::string_view line) {
    const std::string text = fmt::format("{}\n", line);
    std::fwrite(text.data(), 1, text.size(), stderr);
}

}  // namespace fermata::cli
