#include "sql_mapper.hpp"

#include "sql_url.hpp"

#include <fermata/base/error.hpp>
#include <fermata/base/text.hpp>
#include <fermata/sql/sql.hpp>

#include <fmt/format.h>

namespace fermata {
namespace {

constexpr std::int64_t most = 100'000;

std::int64_t number_of(const Properties& properties, std::string_view name, std::int64_t least, std::int64_t fallback) {
    const auto number = properties.get<std::int64_t>(name, fallback);
    if (number < least || number > most)
        throw properties.wrong(name, fmt::format("{} is not between {} and {}", number, least, most));
    return number;
}

std::int64_t integer_of(const Value& value, const std::string& key) {
    if (value.kind() == Value::Kind::integer) return value.integer();
    throw Error(ErrorKind::invalid, fmt::format("the key \"{}\" is not of integers", key),
                "sqlMapper divides ranges of an integer column");
}

/// "schema.table" by its parts.
std::string quoted(const sql::Connection& connection, const std::string& table) {
    std::string text;
    for (const std::string& part : split(table, '.')) text += (text.empty() ? "" : ".") + connection.quote(part);
    return text;
}

/// Ranges side by side of about the same width, each at least one key wide; without overflow at the ends of int64.
PartitionPlan ranges(std::int64_t first, std::int64_t last, std::int64_t parts) {
    const auto width = static_cast<std::uint64_t>(last) - static_cast<std::uint64_t>(first);  // keys, less one
    if (width < static_cast<std::uint64_t>(parts)) parts = static_cast<std::int64_t>(width) + 1;
    PartitionPlan plan{.partitions = parts, .keep_properties = true};
    const std::uint64_t step = width / static_cast<std::uint64_t>(parts);
    for (std::int64_t i = 0; i < parts; ++i) {
        const auto offset = step * static_cast<std::uint64_t>(i);
        const auto from = static_cast<std::int64_t>(static_cast<std::uint64_t>(first) + offset);
        const auto to = static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + step - 1);
        plan.properties.push_back({{"from", std::to_string(from)}, {"to", std::to_string(i + 1 < parts ? to : last)}});
    }
    return plan;
}

}  // namespace

SqlMapper::SqlMapper(const ArtifactContext& context)
    : step_(*context.step),
      url_(context.properties.get<std::string>("url", "")),
      table_(context.properties.require<std::string>("table")),
      key_(context.properties.require<std::string>("key")),
      partitions_(number_of(context.properties, "partitions", 1, 1)),
      threads_(number_of(context.properties, "threads", 0, 0)) {}

PartitionPlan SqlMapper::map_partitions() {
    const auto database = step_.drivers->open(database_or_repository(step_, url_));
    const auto connection = database->connect(sql::OpenMode::read_only);
    const std::string key = connection->quote(key_);
    const std::string table = quoted(*connection, table_);
    if (!connection->execute(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", table, key)).empty())
        throw Error(ErrorKind::invalid,
                    fmt::format("table \"{}\" has rows whose key \"{}\" is null, and no range would hold them",
                                printable(table_), printable(key_)),
                    "divide it by a column that is not null, or a view without these rows");
    const sql::Result ends = connection->execute(fmt::format("SELECT MIN({0}), MAX({0}) FROM {1}", key, table));
    if (ends[0][0].is_null()) return {};
    PartitionPlan plan = ranges(integer_of(ends[0][0], key_), integer_of(ends[0][1], key_), partitions_);
    plan.threads = threads_;
    return plan;
}

std::vector<PropertyRule> SqlMapper::rules() {
    return {check_url, [](const Properties& properties) { (void)number_of(properties, "partitions", 1, 1); },
            [](const Properties& properties) { (void)number_of(properties, "threads", 0, 0); }};
}

ArtifactInfo SqlMapper::info() {
    return {
        .about =
            "Divides a table into ranges of an integer key, in each partition as #{partitionPlan['from']} and "
            "#{partitionPlan['to']}, both included. On a restart the ranges stay what they were",
        .properties = {url_info(),
                       {.name = "table", .type = "table", .required = true, .about = "the table"},
                       {.name = "key", .type = "column", .required = true, .about = "an integer column with an index"},
                       {.name = "partitions", .type = "number", .required = true, .about = "into how many ranges"},
                       {.name = "threads",
                        .type = "number",
                        .default_value = "0",
                        .about = "at most so many partitions at once; 0: as many as there are"}},
        .example = R"(<partition>
  <mapper ref="sqlMapper">
    <properties>
      <property name="table" value="orders"/>
      <property name="key" value="id"/>
      <property name="partitions" value="8"/>
    </properties>
  </mapper>
</partition>)"};
}

}  // namespace fermata
