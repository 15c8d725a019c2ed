#include "kafka_writer.hpp"

#include "place.hpp"

#include <fermata/base/text.hpp>

#include <fmt/format.h>

namespace fermata::kafka {
namespace {

Format format_of(const Properties& properties) {
    const std::vector<std::string> names{"json", "text", "bytes"};
    const std::vector<Format> formats{Format::json, Format::text, Format::bytes};
    return formats[choice_of(properties, "format", names)];
}

std::string column_of(const Properties& properties, std::string_view property) {
    const auto name = properties.find<std::string>(property);
    if (name && name->empty()) throw properties.wrong(property, "names no column");
    return name.value_or("");
}

ConversionError unfit(const Record& record, const std::string& column, const std::string& why) {
    return ConversionError(fmt::format("{}: column \"{}\" {}", record.place(), printable(column), why), record.place(),
                           std::string(record.raw()));
}

/// Adds the value as text or bytes; false if it is null.
bool put(const Value& value, std::string& to) {
    switch (value.kind()) {
        case Value::Kind::null:
            return false;
        case Value::Kind::boolean:
            to += value.boolean() ? "true" : "false";
            return true;
        case Value::Kind::integer:
            fmt::format_to(std::back_inserter(to), "{}", value.integer());
            return true;
        case Value::Kind::real:
            fmt::format_to(std::back_inserter(to), "{}", value.real());
            return true;
        case Value::Kind::text:
            to += value.text();
            return true;
        case Value::Kind::bytes:
            to.append(reinterpret_cast<const char*>(value.bytes().data()), value.bytes().size());
            return true;
    }
    return false;
}

}  // namespace

WriterOptions WriterOptions::of(const Properties& properties) {
    WriterOptions options{
        .format = format_of(properties), .key = column_of(properties, "key"), .value = column_of(properties, "value")};
    if (options.format == Format::json && !options.value.empty())
        throw properties.wrong("value", "has a meaning with format=\"text\" or \"bytes\" only: json writes all columns",
                               "set the format, or leave value out");
    if (options.format != Format::json && options.value.empty())
        throw properties.wrong("value", "is needed with this format", "name the column that holds the value");
    return options;
}

std::vector<PropertyRule> WriterOptions::rules() {
    std::vector<PropertyRule> rules = place_rules();
    rules.emplace_back([](const Properties& properties) { (void)format_of(properties); });
    rules.emplace_back([](const Properties& properties) { (void)column_of(properties, "key"); });
    rules.emplace_back(of);
    return rules;
}

std::vector<PropertyInfo> WriterOptions::info() {
    std::vector<PropertyInfo> info = place_info();
    info.push_back({.name = "format",
                    .type = "json|text|bytes",
                    .default_value = "json",
                    .about = "of the values; json: one object with all columns of the record"});
    info.push_back({.name = "key",
                    .type = "column",
                    .about = "the message's key, by which Kafka chooses the partition; default: no key"});
    info.push_back(
        {.name = "value", .type = "column", .about = "with text and bytes: the message's value; null is a tombstone"});
    return info;
}

KafkaWriter::KafkaWriter(const ArtifactContext& context, Driver driver)
    : properties_(context.properties),
      manner_(manner_of(context)),
      driver_(std::move(driver)),
      topic_(topic_of(context.properties)),
      options_(WriterOptions::of(context.properties)),
      id_(fmt::format("{}/{}/{}", context.job.instance_uuid, context.step->step_name,
                      context.step->partition ? std::to_string(*context.step->partition) : std::string("-"))) {}

void KafkaWriter::open(const Checkpoint& /*from*/) {
    if (!driver_.outbox)
        throw Error(ErrorKind::refused, "this program has no Kafka driver", "give add_kafka_artifacts() one");
    if (outbox_) return;
    outbox_ = driver_.outbox(url_of(properties_), topic_, manner_);
    outbox_->check_topic();
}

void KafkaWriter::write(std::span<Record> records, Transaction& transaction) {
    text_.clear();
    parts_.clear();
    outgoing_.clear();
    for (const Record& record : records) parts_.push_back(parts_of(record, transaction, parts_.size()));
    for (const Parts& parts : parts_) {
        Outgoing& message = outgoing_.emplace_back();
        if (parts.key) message.key = text(*parts.key);
        if (parts.value) message.value = text(*parts.value);
        message.id = text(parts.id);
    }
    const auto refused = outbox_->send(outgoing_);
    if (!refused) return;
    const Record& record = records[refused->message];
    throw ConstraintError(fmt::format("{}: topic \"{}\" does not take it: {}", record.place(), topic_, refused->reason),
                          record.place(), std::string(record.raw()));
}

KafkaWriter::Parts KafkaWriter::parts_of(const Record& record, const Transaction& transaction, std::size_t n) {
    Parts parts;
    if (!options_.key.empty()) parts.key = cell(record, options_.key);
    if (options_.format == Format::json) {
        parts.value = Part{.begin = text_.size()};
        json_.put(record, text_);
        parts.value->size = text_.size() - parts.value->begin;
    } else {
        parts.value = cell(record, options_.value);
    }
    parts.id.begin = text_.size();
    fmt::format_to(std::back_inserter(text_), "{}/{}/{}/{}", id_, transaction.generation, transaction.sequence, n);
    parts.id.size = text_.size() - parts.id.begin;
    return parts;
}

std::optional<KafkaWriter::Part> KafkaWriter::cell(const Record& record, const std::string& column) {
    const auto index = record.columns()->find(column);
    if (!index) throw unfit(record, column, "is not there" + did_you_mean(column, record.columns()->names()));
    const std::size_t begin = text_.size();
    if (!put(record[*index], text_)) return std::nullopt;
    return Part{.begin = begin, .size = text_.size() - begin};
}

std::string_view KafkaWriter::text(const Part& part) const {
    return std::string_view(text_).substr(part.begin, part.size);
}

}  // namespace fermata::kafka
