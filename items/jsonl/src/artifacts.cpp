#include "jsonl_reader.hpp"
#include "jsonl_writer.hpp"

#include <fermata/batch/property_types.hpp>
#include <fermata/items/jsonl.hpp>

namespace fermata {
namespace {

ArtifactInfo reader_info() {
    return {
        .about =
            "Reads a file of one JSON object a line, also gzip- or Zstandard-compressed, in constant memory. A "
            "record has the columns its object has; objects and arrays inside it are kept as their JSON text. "
            "Goes on at the exact byte after a restart; a file that changed meanwhile is refused. A line that "
            "is wrong can be skipped: fermata.ParseError (no JSON), fermata.ReadError (length)",
        .properties = {{.name = "resource", .type = "path", .required = true, .about = "the file"},
                       {.name = "start",
                        .type = "number",
                        .default_value = "0",
                        .about =
                            "byte offset; lines that begin before it are left out; OFFSET/SIZE, as jsonlMapper gives "
                            "it, refuses a file of another size"},
                       {.name = "end",
                        .type = "number",
                        .default_value = "",
                        .about = "byte offset; lines that begin at it or later are left out"},
                       {.name = "max-line",
                        .type = "number",
                        .default_value = "1048576",
                        .about = "bytes of the longest line; a longer one is a fermata.ReadError"}},
        .example = R"(<reader ref="jsonlReader">
  <properties>
    <property name="resource" value="orders.jsonl.gz"/>
  </properties>
</reader>)"};
}

ArtifactInfo writer_info() {
    return {
        .about =
            "Writes records to a file, one JSON object a line, every one exactly once, also when the process is "
            "killed. The file grows beside its place with the ending .part and is put there when the step is "
            "complete. Bytes are written in hexadecimal",
        .properties = {{.name = "resource", .type = std::string(path_to_write), .required = true, .about = "the file"},
                       exists_info()},
        .example = R"(<writer ref="jsonlWriter">
  <properties>
    <property name="resource" value="orders.jsonl"/>
  </properties>
</writer>)"};
}

}  // namespace

void add_jsonl_artifacts(Registry& registry) {
    registry.reader<jsonl::JsonlReader>("jsonlReader", reader_info()).rules = jsonl::ReaderOptions::rules();
    registry.writer<jsonl::JsonlWriter>("jsonlWriter", writer_info()).rules = {
        [](const Properties& properties) { (void)exists_of(properties, Exists::fail); }};
}

}  // namespace fermata
