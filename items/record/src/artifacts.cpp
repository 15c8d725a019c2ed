#include "discard_writer.hpp"
#include "expression_decider.hpp"
#include "filter_processor.hpp"
#include "map_processor.hpp"
#include "range_reader.hpp"
#include "reject_file.hpp"

#include <fermata/batch/property_types.hpp>
#include <fermata/items/record.hpp>

namespace fermata {
namespace {

ArtifactInfo map_info() {
    return {
        .about =
            "Renames, trims, fills, converts, checks and selects the columns of records, in this order; all but "
            "rename use the new names. A value that cannot be converted is a fermata.ConversionError, a required "
            "one that is missing a fermata.ValidationError: both can be skipped",
        .properties =
            {{.name = "rename", .type = "old=new,…", .default_value = "", .about = "new names of columns"},
             {.name = "trim",
              .type = "true|false",
              .default_value = "false",
              .about = "takes spaces off both ends of all text; text that is empty then is null"},
             {.name = "default",
              .type = "column=value,…",
              .default_value = "",
              .about = "stands in for null, and for columns that only some records have"},
             {.name = "required", .type = "column,…", .default_value = "", .about = "columns that must not be null"},
             {.name = "cast",
              .type = "column=text|integer|real|boolean,…",
              .default_value = "",
              .about = "types of columns; null stays null"},
             {.name = "keep", .type = "column,…", .default_value = "", .about = "only these, in this order (all)"},
             {.name = "drop", .type = "column,…", .default_value = "", .about = "all but these"}},
        .example = R"(<processor ref="map">
  <properties>
    <property name="rename" value="Organization Name=name"/>
    <property name="cast" value="employees=integer"/>
    <property name="required" value="name"/>
  </properties>
</processor>)"};
}

ArtifactInfo filter_info() {
    return {.about =
                "Hands on the records for which a condition is true, as SQL's WHERE does: comparisons with null are "
                "not. Operators: = != < <= > >=, like with % and _, is null, is not null, and, or, not, "
                "parentheses. A number compares by number, 'text' byte by byte; \"in double quotes\" is a column "
                "whose name is no word",
            .properties = {{.name = "where", .type = "condition", .required = true, .about = "the condition"}},
            .example = R"xml(<processor ref="filter">
  <properties>
    <property name="where" value="country = 'DE' and not (price &lt; 10 or note is null)"/>
  </properties>
</processor>)xml"};
}

ArtifactInfo range_info() {
    return {
        .about = "Reads the integers of a range as records with one column, value",
        .properties = {{.name = "from", .type = "number", .default_value = "1", .about = "the first"},
                       {.name = "to", .type = "number", .required = true, .about = "the last; less than from: none"}},
        .example = R"(<reader ref="rangeReader">
  <properties>
    <property name="from" value="1"/>
    <property name="to" value="1000000"/>
  </properties>
</reader>)"};
}

ArtifactInfo discard_info() {
    return {.about = "Writes records nowhere", .properties = {}, .example = R"(<writer ref="discardWriter"/>)"};
}

ArtifactInfo reject_info() {
    return {.about =
                "Writes each skipped record to a CSV file with the columns position, reason and raw, exactly once. "
                "The file is put in place, replacing one from an earlier instance, when the step has read all its "
                "input; until then it stands beside it with the ending .part",
            .properties = {{.name = "file", .type = std::string(path_to_write), .required = true, .about = "the file"}},
            .example = R"(<listener ref="rejectFile">
  <properties>
    <property name="file" value="rejects.csv"/>
  </properties>
</listener>)"};
}

}  // namespace

void add_record_artifacts(Registry& registry) {
    registry.decider<record::ExpressionDecider>("expression", record::ExpressionDecider::info()).rules = {
        record::ExpressionDecider::check};
    registry.processor<record::MapProcessor>("map", map_info()).rules = record::MapOptions::rules();
    registry.processor<record::FilterProcessor>("filter", filter_info()).rules = {record::where_of};
    registry.reader<record::RangeReader>("rangeReader", range_info()).rules = {
        reads_as<std::int64_t>("from"), reads_as<std::int64_t>("to"),
        [](const Properties& properties) { (void)record::RangeReader(properties); }};
    registry.writer<record::DiscardWriter>("discardWriter", discard_info());
    registry.listener<record::RejectFile>("rejectFile", reject_info());
}

}  // namespace fermata
