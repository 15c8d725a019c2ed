#include "jsonl_writer.hpp"

namespace fermata::jsonl {

JsonlWriter::JsonlWriter(const ArtifactContext& context)
    : file_(context.properties.require<std::string>("resource"), exists_of(context.properties, Exists::fail), context) {
}

void JsonlWriter::write(std::span<Record> records, Transaction&) {
    text_.clear();
    for (const Record& record : records) {
        json_.put(record, text_);
        text_ += '\n';
    }
    file_.write(text_);
}

}  // namespace fermata::jsonl
