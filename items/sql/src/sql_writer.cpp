#include "sql_writer.hpp"

#include "sql_url.hpp"

#include <fmt/core.h>

#include <algorithm>
#include <ranges>

namespace fermata {
namespace {

constexpr const char* default_sink_table = "fermata_sink";

bool read_upsert(const Properties& properties) {
    const auto mode = properties.get<std::string>("mode", "insert");
    if (mode == "upsert") return true;
    if (mode == "insert") return false;
    const std::vector<std::string> modes{"insert", "upsert"};
    throw properties.wrong("mode", fmt::format("\"{}\" is not insert or upsert{}", mode, did_you_mean(mode, modes)));
}

TableRules read_rules(const Properties& properties) {
    TableRules rules{.table = properties.require<std::string>("table"),
                     .upsert = read_upsert(properties),
                     .create = properties.get("create", false),
                     .keys = name_list(properties, "keys"),
                     .columns = name_list(properties, "columns")};
    if (rules.table.empty()) throw properties.wrong("table", "is empty");
    if (!rules.upsert && !rules.keys.empty())
        throw properties.wrong("keys", "have a meaning with mode=\"upsert\" only", "set the mode, or leave keys out");
    if (rules.upsert && rules.create && rules.keys.empty())
        throw properties.wrong("create", "needs keys with mode=\"upsert\"", "name the primary key's columns in keys");
    return rules;
}

/// The driver knows a row's number, we know where the row came from.
template <class E>
[[noreturn]] void rethrow_at_record(const E& error, std::span<const Record> records) {
    const auto row = parse_int64(error.position());
    if (!row || *row < 0 || static_cast<std::size_t>(*row) >= records.size()) throw error;
    const Record& record = records[static_cast<std::size_t>(*row)];
    throw E(error.what(), record.place(), std::string(record.raw()));
}

}  // namespace

SqlWriter::SqlWriter(const ArtifactContext& context)
    : step_(*context.step),
      url_(context.properties.get<std::string>("url", "")),
      sink_table_(context.properties.get<std::string>("sink-table", default_sink_table)),
      rules_(read_rules(context.properties)) {}

Sink SqlWriter::sink() const {
    return {.sink_class = SinkClass::transactional,
            .url = database_url(step_, url_),
            .sink_table = sink_table_,
            .recorded_url = recorded_url(step_, url_)};
}

void SqlWriter::open(const Checkpoint& /*from*/) { shapes_.clear(); }

void SqlWriter::close() { shapes_.clear(); }

void SqlWriter::write(std::span<Record> records, Transaction& transaction) {
    if (records.empty()) return;
    sql::Connection& connection = transaction.connection();
    while (!records.empty()) {
        const Columns* shape = records.front().columns().get();
        const auto other = std::ranges::find_if(records, [&](const Record& r) { return r.columns().get() != shape; });
        const auto alike = static_cast<std::size_t>(other - records.begin());
        write_alike(records.first(alike), connection);
        records = records.subspan(alike);
    }
}

void SqlWriter::write_alike(std::span<Record> records, sql::Connection& connection) {
    Shape& shape = shape_of(records.front().columns(), connection);
    *shape.last = records;
    gather(records, shape.plan.sources);
    try {
        shape.bulk->write(records.size(), cells_);
    } catch (const ConstraintError& error) {
        rethrow_at_record(error, records);
    } catch (const ConversionError& error) {
        rethrow_at_record(error, records);
    }
}

SqlWriter::Shape& SqlWriter::shape_of(const ColumnsPtr& columns, sql::Connection& connection) {
    constexpr std::size_t most_shapes = 64;
    for (Shape& shape : shapes_)
        if (shape.columns == columns) return shape;
    for (Shape& shape : shapes_)
        if (shape.columns->names() == columns->names()) return shape;
    if (shapes_.size() == most_shapes) shapes_.clear();
    Shape shape{.columns = columns,
                .plan = plan_write(connection, rules_, *columns),
                .last = std::make_unique<std::span<const Record>>(),
                .bulk = nullptr};
    shape.plan.target.place_of = [last = shape.last.get()](std::size_t row) -> sql::BulkTarget::Place {
        const Record& record = (*last)[row];
        return {record.place(), std::string(record.raw())};
    };
    shape.bulk = connection.bulk(shape.plan.target);
    return shapes_.emplace_back(std::move(shape));
}

void SqlWriter::gather(std::span<Record> records, const std::vector<std::size_t>& sources) {
    cells_.resize(records.size() * sources.size());
    Value* cell = cells_.data();
    const bool are_all = std::ranges::equal(sources, std::views::iota(std::size_t{0}, records.front().values().size()));
    for (const Record& record : records) {
        const std::span<const Value> values = record.values();
        if (are_all)
            cell = std::copy_n(values.data(), sources.size(), cell);
        else
            for (const std::size_t source : sources) *cell++ = values[source];
    }
}

std::vector<PropertyRule> SqlWriter::rules() {
    return {check_url,
            read_upsert,
            reads_as<bool>("create"),
            [](const Properties& properties) { (void)name_list(properties, "keys"); },
            [](const Properties& properties) { (void)name_list(properties, "columns"); },
            read_rules};
}

ArtifactInfo SqlWriter::info() {
    ArtifactInfo info;
    info.about = "Writes records into a table, in the same transaction as the chunk's progress: each exactly once";
    info.properties = {
        url_info(),
        {.name = "table", .type = "table", .required = true, .about = "Table, may be schema-qualified"},
        {.name = "mode",
         .type = "insert|upsert",
         .default_value = "insert",
         .about = "upsert: a row with the same key is updated"},
        {.name = "keys", .type = "column,…", .about = "upsert: columns of a unique key; default: the primary key"},
        {.name = "columns",
         .type = "column,…",
         .about = "What to write; default: all columns of the records, each of which the table must have"},
        {.name = "create",
         .type = "true|false",
         .default_value = "false",
         .about = "Create the table if it is missing: text columns, keys as its primary key"},
        {.name = "sink-table",
         .type = "table|none",
         .default_value = default_sink_table,
         .about = "Where another database than the repository's keeps the step's progress; none: at least once"},
    };
    info.example = R"(<writer ref="sqlWriter">
  <properties>
    <property name="url" value="sqlite:registry.db"/>
    <property name="table" value="vendor"/>
    <property name="mode" value="upsert"/>
    <property name="keys" value="assignment"/>
  </properties>
</writer>)";
    return info;
}

}  // namespace fermata
