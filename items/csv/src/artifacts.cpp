#include "csv_reader.hpp"
#include "csv_writer.hpp"

#include <fermata/batch/property_types.hpp>
#include <fermata/items/csv.hpp>

namespace fermata {
namespace {

std::vector<PropertyInfo> dialect_properties() {
    return {
        {.name = "header", .type = "true|false", .default_value = "true", .about = "the first line names the columns"},
        {.name = "columns",
         .type = "text",
         .default_value = "",
         .about = "names, separated by commas: with a header those that are wanted, in this order; without one the "
                  "names of all (else c1, c2, …)"},
        {.name = "delimiter",
         .type = "text",
         .default_value = ",",
         .about = "one ASCII character between values; \\t is a tab"},
        {.name = "quote",
         .type = "text",
         .default_value = "\"",
         .about =
             "one ASCII character around values that hold delimiters, quotes (doubled) or line feeds; empty: none"},
        {.name = "null", .type = "text", .default_value = "", .about = "what stands, unquoted, for no value"},
    };
}

ArtifactInfo reader_info() {
    ArtifactInfo info;
    info.about =
        "Reads the records of a CSV file (RFC 4180), also gzip- or Zstandard-compressed, in constant memory. "
        "Goes on at the exact byte after a restart; a file that changed meanwhile is refused. All values are "
        "text or null. A record that is wrong can be skipped: fermata.ParseError (number of columns, quotes), "
        "fermata.ReadError (encoding, length)";
    info.properties = dialect_properties();
    info.properties.insert(info.properties.begin(),
                           {.name = "resource", .type = "path", .required = true, .about = "the file"});
    for (PropertyInfo property : {
             PropertyInfo{.name = "encoding",
                          .type = "utf-8|iso-8859-1|windows-1252",
                          .default_value = "utf-8",
                          .about = "of the file; values are UTF-8 always"},
             PropertyInfo{.name = "empty",
                          .type = "fail|ok",
                          .default_value = "fail",
                          .about = "what a file without any line is where a header is expected; ok: no record"},
             PropertyInfo{.name = "start",
                          .type = "number",
                          .default_value = "0",
                          .about =
                              "byte offset; records that begin before it are left out (values with line feeds need "
                              "the offset of a record); OFFSET/SIZE, as csvMapper gives it, refuses a file of another "
                              "size"},
             PropertyInfo{.name = "end",
                          .type = "number",
                          .default_value = "",
                          .about = "byte offset; records that begin at it or later are left out"},
             PropertyInfo{.name = "max-line",
                          .type = "number",
                          .default_value = "1048576",
                          .about = "bytes of the longest record; a longer one is a fermata.ReadError"},
         })
        info.properties.push_back(std::move(property));
    info.example = R"(<reader ref="csvReader">
  <properties>
    <property name="resource" value="#{jobParameters['file']}"/>
    <property name="columns" value="Assignment,Organization Name"/>
  </properties>
</reader>)";
    return info;
}

ArtifactInfo writer_info() {
    ArtifactInfo info;
    info.about =
        "Writes records to a CSV file in UTF-8, every one exactly once, also when the process is killed. The file "
        "grows beside its place with the ending .part and is put there when the step is complete. Bytes are "
        "written in hexadecimal";
    info.properties = dialect_properties();
    info.properties[0].about = "a first line names the columns";
    info.properties[1].about = "those to write, in this order, separated by commas (all of the first record)";
    info.properties[4].about += "; equal text is quoted";
    info.properties.insert(
        info.properties.begin(),
        {.name = "resource", .type = std::string(path_to_write), .required = true, .about = "the file"});
    info.properties.push_back(exists_info());
    info.example = R"(<writer ref="csvWriter">
  <properties>
    <property name="resource" value="vendors.csv"/>
    <property name="exists" value="overwrite"/>
  </properties>
</writer>)";
    return info;
}

std::vector<PropertyRule> writer_rules() {
    std::vector<PropertyRule> rules = csv::Dialect::rules();
    rules.emplace_back([](const Properties& properties) { (void)exists_of(properties, Exists::fail); });
    return rules;
}

}  // namespace

void add_csv_artifacts(Registry& registry) {
    registry.reader<csv::CsvReader>("csvReader", reader_info()).rules = csv::ReaderOptions::rules();
    registry.writer<csv::CsvWriter>("csvWriter", writer_info()).rules = writer_rules();
}

}  // namespace fermata
