#include "jsonl_reader.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>

namespace fermata::jsonl {
namespace {

constexpr std::int64_t largest_line = std::int64_t{1} << 30;
std::size_t max_line_of(const Properties& properties) {
    const auto limit = properties.get<std::int64_t>("max-line", static_cast<std::int64_t>(ReaderOptions().max_line));
    if (limit < 1 || limit > largest_line)
        throw properties.wrong("max-line", fmt::format("{} is not between 1 and {}", limit, largest_line));
    return static_cast<std::size_t>(limit);
}

}  // namespace

std::vector<PropertyRule> ReaderOptions::rules() {
    return {max_line_of, RangeStart::of, reads_as<std::int64_t>("end"), from};
}

ReaderOptions ReaderOptions::from(const Properties& properties) {
    ReaderOptions options;
    options.max_line = max_line_of(properties);
    options.start = RangeStart::of(properties);
    options.end = properties.get<std::int64_t>("end", options.end);
    if (options.end < options.start.offset)
        throw properties.wrong("end", fmt::format("{} is less than start, {}", options.end, options.start.offset));
    return options;
}

JsonlReader::JsonlReader(const ArtifactContext& context)
    : JsonlReader(context.step->resolve_path(context.properties.require<std::string>("resource")),
                  ReaderOptions::from(context.properties)) {
    // Ranges of other partitions would no longer meet this one's.
    const bool whole = options_.start.offset == 0 && options_.end == ReaderOptions().end;
    if (context.job.accept_input && whole) file_.accept_change();
    if (options_.start.file_size) file_.was_divided_at(*options_.start.file_size);
}

JsonlReader::JsonlReader(std::filesystem::path path, ReaderOptions options, std::size_t block)
    : options_(options), file_(std::move(path), block) {}

void JsonlReader::open(const Checkpoint& from) {
    file_.open(from);
    if (from) return;
    enter_text(file_, "JSON lines");
    if (options_.start.offset <= file_.offset()) return;
    // A range holds the lines that begin in it, so ranges side by side hold every line once.
    file_.skip_to(options_.start.offset - 1);
    file_.skip_line();
}

double JsonlReader::fraction() const noexcept {
    if (options_.end == ReaderOptions().end) return file_.fraction();
    const auto done = static_cast<double>(std::max(file_.offset() - options_.start.offset, std::int64_t{0}));
    return std::min(1.0, done / static_cast<double>(std::max(options_.end - options_.start.offset, std::int64_t{1})));
}

bool JsonlReader::read(Record& into) {
    while (const auto line = next_line()) {
        if (trim(*line).empty()) continue;
        fill(into, *line);
        return true;
    }
    return false;
}

/// The line, without its end, that the file has just moved behind; valid until the next call.
std::optional<std::string_view> JsonlReader::next_line() {
    line_ = file_.line();
    if (file_.offset() >= options_.end) return std::nullopt;
    for (std::size_t known = 0;;) {
        const std::string_view window = file_.window();
        const std::size_t feed = window.find('\n', known);
        const bool whole = feed != std::string_view::npos || file_.at_end();
        if (std::min(feed, window.size()) > options_.max_line) refuse_long_line();
        if (whole && window.empty()) return std::nullopt;
        if (whole) {
            const std::string_view line = window.substr(0, feed);
            file_.consume(std::min(line.size() + 1, window.size()), feed != std::string_view::npos ? 1 : 0);
            return line;
        }
        known = window.size();
        file_.more();
    }
}

void JsonlReader::refuse_long_line() {
    const std::string raw(file_.window().substr(0, options_.max_line));
    file_.skip_line();
    throw ReadError(
        fmt::format("{}: the line is longer than {} bytes: \"{}\"; raise the property max-line if it is right",
                    position(), with_commas(static_cast<std::int64_t>(options_.max_line)), printable(raw, 40)),
        position(), raw);
}

void JsonlReader::refuse(std::string_view line, std::string_view reason) const {
    throw ParseError(fmt::format("{}: {}: \"{}\"", position(), reason, printable(line, 80)), position(),
                     std::string(line));
}

void JsonlReader::fill(Record& into, std::string_view line) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    const std::string_view kept = json::Objects::keep(into, line);
    try {
        objects_.fill(into, kept);
    } catch (const json::NoObject& error) {
        refuse(kept, error.what());
    }
    into.set_origin(line_, kept);
    if (into.batch().source != file_.name()) into.batch().source = file_.name();
}

std::string JsonlReader::position() const {
    return line_ == 0 ? file_.name() : fmt::format("{}:{}", file_.name(), line_);
}

}  // namespace fermata::jsonl
