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
    std::vector<PropertyRule> rules = ByteRange::rules();
    rules.emplace_back(max_line_of);
    return rules;
}

ReaderOptions ReaderOptions::from(const Properties& properties) {
    ReaderOptions options;
    options.max_line = max_line_of(properties);
    options.range = ByteRange::of(properties);
    return options;
}

JsonlReader::JsonlReader(const ArtifactContext& context)
    : JsonlReader(context.step->resolve_path(context.properties.require<std::string>("resource")),
                  ReaderOptions::from(context.properties)) {
    options_.range.apply_to(file_, context.job.accept_input);
}

JsonlReader::JsonlReader(std::filesystem::path path, ReaderOptions options, std::size_t block)
    : options_(options), file_(std::move(path), block) {}

void JsonlReader::open(const Checkpoint& from) {
    file_.open(from);
    if (from) return;
    enter_text(file_, "JSON lines");
    options_.range.skip_to_start(file_);
}

double JsonlReader::fraction() const noexcept { return options_.range.fraction_of(file_); }

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
    if (file_.offset() >= options_.range.end) return std::nullopt;
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
