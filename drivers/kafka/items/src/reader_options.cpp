#include "reader_options.hpp"

#include "place.hpp"

#include <fermata/base/clock.hpp>
#include <fermata/base/text.hpp>

#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <set>

namespace fermata::kafka {
namespace {

constexpr std::int64_t most_partitions = 100'000;

std::optional<std::int64_t> partition_number(std::string_view text) {
    const auto number = parse_int64(trim(text));
    return number && *number >= 0 && *number < most_partitions ? number : std::nullopt;
}

/// "0, 2-4"
std::vector<std::int32_t> partitions_of(const Properties& properties) {
    const auto text = properties.get<std::string>("partitions", "");
    std::set<std::int32_t> numbers;
    for (const std::string& part : split(text, ',')) {
        if (text.empty()) break;
        const std::size_t dash = part.find('-');
        const auto first = partition_number(std::string_view(part).substr(0, dash));
        const auto last = dash == std::string::npos ? first : partition_number(std::string_view(part).substr(dash + 1));
        if (!first || !last || *first > *last)
            throw properties.wrong("partitions", fmt::format("\"{}\" is no number and no range", printable(part)),
                                   "write it as 0,2-4");
        for (std::int64_t number = *first; number <= *last; ++number) numbers.insert(static_cast<std::int32_t>(number));
    }
    return {numbers.begin(), numbers.end()};
}

std::pair<ReaderOptions::From, std::int64_t> from_of(const Properties& properties) {
    const auto text = properties.get<std::string>("from", "beginning");
    if (text == "beginning") return {ReaderOptions::From::beginning, 0};
    if (text == "end") return {ReaderOptions::From::end, 0};
    if (const auto time = parse_rfc3339(text)) return {ReaderOptions::From::time, to_micros(*time) / 1000};
    const std::vector<std::string> words{"beginning", "end"};
    throw properties.wrong(
        "from", fmt::format("\"{}\" is neither beginning, end nor a time like 2026-11-21T22:00:06Z{}", printable(text),
                            did_you_mean(text, words)));
}

std::optional<std::chrono::milliseconds> idle_of(const Properties& properties) {
    const auto text = properties.get<std::string>("until", "end");
    if (text == "end") return std::nullopt;
    const auto idle = parse_duration(text);
    if (!idle || *idle <= Duration::zero())
        throw properties.wrong("until", fmt::format("\"{}\" is neither end nor a duration like 10s", printable(text)));
    return std::chrono::duration_cast<std::chrono::milliseconds>(*idle);
}

Format format_of(const Properties& properties) {
    return static_cast<Format>(choice_of(properties, "format", format_names()));
}

std::vector<Column> columns_of(const Properties& properties) {
    const auto text = properties.find<std::string>("columns");
    if (!text) {
        if (format_of(properties) == Format::json) return {Column::value};
        return {Column::key, Column::value, Column::timestamp, Column::partition, Column::offset, Column::headers};
    }
    std::vector<Column> columns;
    for (const std::string& part : split(*text, ',')) {
        const std::string name(trim(part));
        const auto found = std::ranges::find(column_names(), name);
        if (found == column_names().end())
            throw properties.wrong(
                "columns", fmt::format("\"{}\" is none of {}{}", printable(name), fmt::join(column_names(), ", "),
                                       did_you_mean(name, column_names())));
        const auto column = static_cast<Column>(found - column_names().begin());
        if (std::ranges::find(columns, column) != columns.end())
            throw properties.wrong("columns", fmt::format("\"{}\" stands twice", name));
        columns.push_back(column);
    }
    return columns;
}

}  // namespace

ReaderOptions ReaderOptions::of(const Properties& properties) {
    const auto [from, time] = from_of(properties);
    return {.partitions = partitions_of(properties),
            .from = from,
            .from_time = time,
            .idle = idle_of(properties),
            .format = format_of(properties),
            .columns = columns_of(properties)};
}

std::vector<PropertyRule> ReaderOptions::rules() {
    std::vector<PropertyRule> rules = place_rules();
    rules.emplace_back([](const Properties& properties) { (void)partitions_of(properties); });
    rules.emplace_back([](const Properties& properties) { (void)from_of(properties); });
    rules.emplace_back([](const Properties& properties) { (void)idle_of(properties); });
    rules.emplace_back([](const Properties& properties) { (void)format_of(properties); });
    rules.emplace_back([](const Properties& properties) { (void)columns_of(properties); });
    return rules;
}

std::vector<PropertyInfo> ReaderOptions::info() {
    std::vector<PropertyInfo> info = place_info();
    info.push_back({.name = "partitions", .type = "0,2-4", .about = "which to read; default: all"});
    info.push_back({.name = "from",
                    .type = "beginning|end|time",
                    .default_value = "beginning",
                    .about = "where a step begins that has not read yet; a time like 2026-11-21T22:00:06Z is the first "
                             "message that is not older"});
    info.push_back({.name = "until",
                    .type = "end|duration",
                    .default_value = "end",
                    .about = "end: what was the end of each partition when the step began; also after a restart. A "
                             "duration: until nothing came for so long"});
    info.push_back({.name = "format",
                    .type = "text|json|bytes",
                    .default_value = "text",
                    .about = "of the values; json: one object, whose fields become columns"});
    info.push_back({.name = "columns",
                    .type = "column,…",
                    .about = "of key, value, timestamp (ms), partition, offset, headers (JSON text), in this order; "
                             "default: all, with json only value, which stands for the object's fields, in the end"});
    return info;
}

}  // namespace fermata::kafka
