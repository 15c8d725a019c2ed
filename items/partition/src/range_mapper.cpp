#include "mappers.hpp"
#include "record_cuts.hpp"

#include <fermata/base/error.hpp>

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

char quote_of(const Properties& properties) {
    const auto quote = properties.get<std::string>("quote", "\"");
    if (quote.size() > 1) throw properties.wrong("quote", fmt::format("\"{}\" is more than one byte", quote));
    return quote.empty() ? '\0' : quote.front();
}

}  // namespace

RangeMapper::RangeMapper(const ArtifactContext& context, char quote)
    : path_(context.step->resolve_path(context.properties.require<std::string>("resource"))),
      quote_(quote),
      partitions_(partitions_of(context.properties)),
      threads_(threads_of(context.properties)) {}

PartitionPlan RangeMapper::map_partitions() {
    const std::vector<std::int64_t> cuts = record_cuts(path_, partitions_, quote_);
    PartitionPlan plan{.partitions = static_cast<std::int64_t>(cuts.size()), .threads = threads_};
    plan.keep_properties = true;
    for (std::size_t i = 0; i < cuts.size(); ++i) {
        const std::int64_t end = i + 1 < cuts.size() ? cuts[i + 1] : std::numeric_limits<std::int64_t>::max();
        plan.properties.push_back({{"start", std::to_string(cuts[i])}, {"end", std::to_string(end)}});
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

CsvMapper::CsvMapper(const ArtifactContext& context) : RangeMapper(context, quote_of(context.properties)) {}

ArtifactInfo CsvMapper::info() {
    ArtifactInfo info = RangeMapper::info(
        "Divides one CSV file into ranges of bytes, cut where records begin, also where values hold line feeds. Give "
        "the "
        "csvReader start=\"#{partitionPlan['start']}\" and end=\"#{partitionPlan['end']}\"",
        "csvMapper");
    info.properties.push_back({.name = "quote",
                               .type = "character",
                               .default_value = "\"",
                               .about = "as the reader's; empty: no value holds a line feed, which saves reading the "
                                        "file to find the cuts"});
    return info;
}

std::vector<PropertyRule> CsvMapper::rules() { return {partitions_of, threads_of, quote_of}; }

ArtifactInfo JsonlMapper::info() {
    return RangeMapper::info(
        "Divides one file of JSON lines into ranges of bytes. Give the jsonlReader start=\"#{partitionPlan['start']}\" "
        "and end=\"#{partitionPlan['end']}\"",
        "jsonlMapper");
}

}  // namespace fermata::partition
