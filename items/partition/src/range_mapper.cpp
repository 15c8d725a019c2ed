#include "mappers.hpp"
#include "record_cuts.hpp"

#include <fermata/items/csv/record_beginnings.hpp>
#include <fermata/items/file/byte_range.hpp>
#include <fermata/items/file/input_file.hpp>

#include <fmt/format.h>

#include <limits>

namespace fermata::partition {
namespace {

constexpr std::int64_t most = 100'000;

std::int64_t partitions_of(const Properties& properties) {
    const auto count = properties.require<std::int64_t>("partitions");
    if (count < 1 || count > most)
        throw properties.wrong("partitions", fmt::format("{} is not between 1 and {}", count, most));
    return count;
}

std::int64_t size_of(const std::filesystem::path& path) {
    InputFile file(path);
    file.open({});
    return file.position().size;
}

/// Beginnings of records are noted so far apart: a list of them stays short, whatever the file.
constexpr std::int64_t stride = 4096;

}  // namespace

RangeMapper::RangeMapper(const ArtifactContext& context)
    : path_(context.step->resolve_path(context.properties.require<std::string>("resource"))),
      partitions_(partitions_of(context.properties)),
      threads_(threads_of(context.properties)) {}

PartitionPlan RangeMapper::map_partitions() {
    // Of the file as it is before it is looked at: what changes meanwhile is refused by its readers.
    const std::int64_t size = size_of(path_);
    const Cuts cuts = cut(path_, partitions_);
    PartitionPlan plan{.partitions = static_cast<std::int64_t>(cuts.size()), .threads = threads_};
    plan.keep_properties = true;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const std::int64_t end = i + 1 < cuts.size() ? cuts[i + 1] : std::numeric_limits<std::int64_t>::max();
        plan.properties.push_back(
            {{"start", ByteRange{.start = cuts[i], .file_size = size}.start_text()}, {"end", std::to_string(end)}});
    }
    return plan;
}

std::vector<PropertyRule> RangeMapper::rules() { return {partitions_of, threads_of}; }

ArtifactInfo RangeMapper::info(std::string about, std::string reader) {
    return {.about = std::move(about),
            .properties = {{.name = "resource", .type = "path", .required = true, .about = "the file"},
                           {.name = "partitions",
                            .type = "number",
                            .required = true,
                            .about = "into how many ranges; a small file gets fewer"},
                           threads_info()},
            .example = fmt::format(R"(<partition>
  <mapper ref="{}">
    <properties>
      <property name="resource" value="#{{jobParameters['file']}}"/>
      <property name="partitions" value="4"/>
    </properties>
  </mapper>
</partition>)",
                                   reader)};
}

CsvMapper::CsvMapper(const ArtifactContext& context) : RangeMapper(context), properties_(context.properties) {}

Cuts CsvMapper::cut(const std::filesystem::path& path, std::int64_t parts) const {
    if (properties_.find<std::string>("quote") == "") return even_cuts(path, parts);
    const csv::RecordBeginnings found = csv::record_beginnings(path, properties_, stride);
    return cuts_among(found.offsets, found.size, parts);
}

ArtifactInfo CsvMapper::info() {
    ArtifactInfo info = RangeMapper::info(
        "Divides one CSV file into ranges of bytes, cut where records begin, also where values hold line feeds. Give "
        "the csvReader start=\"#{partitionPlan['start']}\" and end=\"#{partitionPlan['end']}\"",
        "csvMapper");
    info.properties.push_back({.name = "delimiter", .type = "text", .default_value = ",", .about = "as the reader's"});
    info.properties.push_back({.name = "quote",
                               .type = "text",
                               .default_value = "\"",
                               .about = "as the reader's; empty: no value holds a line feed, which saves reading the "
                                        "file to find the cuts"});
    info.properties.push_back(
        {.name = "max-line", .type = "number", .default_value = "1048576", .about = "as the reader's"});
    return info;
}

std::vector<PropertyRule> CsvMapper::rules() {
    std::vector<PropertyRule> rules = csv::record_rules();
    rules.insert(rules.end(), {partitions_of, threads_of});
    return rules;
}

Cuts JsonlMapper::cut(const std::filesystem::path& path, std::int64_t parts) const { return even_cuts(path, parts); }

ArtifactInfo JsonlMapper::info() {
    return RangeMapper::info(
        "Divides one file of JSON lines into ranges of bytes. Give the jsonlReader start=\"#{partitionPlan['start']}\" "
        "and end=\"#{partitionPlan['end']}\"",
        "jsonlMapper");
}

}  // namespace fermata::partition
