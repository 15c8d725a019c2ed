#include "mappers.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::partition {
namespace {

std::vector<std::string> values_of(const Properties& properties) {
    const auto list = properties.require<std::string>("values");
    const auto separator = properties.get<std::string>("separator", ",");
    if (separator.size() != 1)
        throw properties.wrong("separator", fmt::format("\"{}\" is not one byte", printable(separator)));
    std::vector<std::string> values;
    for (const std::string& part : split(list, separator.front()))
        if (const auto value = trim(part); !value.empty()) values.emplace_back(value);
    return values;
}

}  // namespace

std::int64_t threads_of(const Properties& properties) {
    const auto threads = properties.get<std::int64_t>("threads", 0);
    if (threads < 0) throw properties.wrong("threads", fmt::format("{} is less than 0", threads));
    return threads;
}

PropertyInfo threads_info() {
    return {.name = "threads",
            .type = "number",
            .default_value = "0",
            .about = "at most so many partitions at once; 0: as many as there are"};
}

ListMapper::ListMapper(const ArtifactContext& context)
    : values_(values_of(context.properties)), threads_(threads_of(context.properties)) {}

PartitionPlan ListMapper::map_partitions() {
    PartitionPlan plan{.partitions = static_cast<std::int64_t>(values_.size()), .threads = threads_};
    plan.keep_properties = true;
    for (const std::string& value : values_) plan.properties.push_back({{"value", value}});
    return plan;
}

std::vector<PropertyRule> ListMapper::rules() { return {values_of, threads_of}; }

ArtifactInfo ListMapper::info() {
    return {.about = "One partition for each value of a list, in it as #{partitionPlan['value']}",
            .properties = {{.name = "values", .type = "value,…", .required = true, .about = "spaces around them go"},
                           {.name = "separator", .type = "character", .default_value = ",", .about = "between them"},
                           threads_info()},
            .example = R"(<partition>
  <mapper ref="listMapper">
    <properties>
      <property name="values" value="#{jobParameters['regions']}?:eu,us,asia;"/>
    </properties>
  </mapper>
</partition>)"};
}

}  // namespace fermata::partition
